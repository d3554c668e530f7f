Feature: Supervision
  Whatever runs agents, as systemd does, can be told how they are. Where NOTIFY_SOCKET names a socket, an agent says there when it serves, reloads and ends, and gives
  as many signs of life as WATCHDOG_USEC asks for (sd_notify(3)). Scripts and containers ask `tidings ready`.

  Scenario: An agent says when it serves and when it ends
    Given a service manager that listens to alpha
    When agent alpha is started with
      | --zone | a |
    Then the service manager is told READY=1
    When I GET /health/live at alpha
    Then the answer is 200
    When alpha is stopped by SIGTERM
    Then the service manager is told STOPPING=1

  Scenario: An agent that is asked to leave says that it ends
    Given a service manager that listens to alpha
    And its socket is an abstract one of alpha
    And an agent alpha
    When I run `tidings leave` beside alpha
    Then the service manager is told STOPPING=1
    And alpha ends by itself

  Scenario: An agent that can't serve does not say that it does
    Given an agent alpha
    And a service manager that listens to beta
    When beta is started in vain with
      | --http | {alpha}:8780 |
    Then it exits with 1
    And the service manager was told nothing

  Scenario: An agent that serves waits for no cluster
    Given a service manager that listens to alpha
    And agent alpha that knows of no peer it can reach
    Then the service manager is told READY=1

  Scenario: A reload is told, and so is that it was in vain
    Given a service manager that listens to alpha
    And alpha's configuration file
      """
      zone = "a"
      """
    And an agent alpha
    Then the service manager is told READY=1
    When alpha receives SIGHUP
    Then the service manager is told RELOADING=1
    And with it MONOTONIC_USEC
    And the service manager is told READY=1
    When alpha's configuration file becomes
      """
      nmae = "a"
      """
    And alpha receives SIGHUP
    Then the service manager is told RELOADING=1
    And the service manager is told READY=1
    And with it STATUS=the last reload changed nothing: the log says why

  Scenario: Signs of life are given as often as one is waited for
    Given a service manager that wants a sign of life from alpha every 200 ms
    And an agent alpha
    Then the service manager is told WATCHDOG=1
    And the service manager is told WATCHDOG=1
    And the service manager is told WATCHDOG=1

  Scenario: Signs of life that another process is to give are not given
    Given a service manager that wants a sign of life from alpha every 10 ms
    And they are wanted from another process than alpha
    And an agent alpha
    When alpha is stopped by SIGTERM
    Then the service manager was told nothing of WATCHDOG

  Scenario: A service manager that does not read holds up nobody
    Given a service manager that wants a sign of life from alpha every 2 ms and reads none
    And an agent alpha
    Then alpha's log soon says "the service manager can't be told"
    And alpha goes on
    And alpha's log says "the service manager can't be told" once

  Scenario: Whether an agent knows its cluster can be asked by a script
    Given agent alpha that knows of no peer it can reach
    And GET /health/live at alpha is soon 200
    When I run `tidings ready` beside alpha
    Then it exits with 1
    And it complains "this agent has not yet heard from all of its cluster"
    Given an agent beta
    When I run `tidings ready` beside beta
    Then it exits with 0
    And it prints
      | ready |
    When I run `tidings ready --json` beside beta
    Then it exits with 0
    And it prints JSON with
      | /status | ok |
    When I run `tidings ready --agent http://{nobody}:8780`
    Then it exits with 3
