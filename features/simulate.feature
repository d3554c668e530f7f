Feature: Playing scenarios in virtual time
  `tidings simulate` plays what happens to a cluster, with the very protocol that agents run, and says whether what must hold does. A scenario is
  a file; docs/simulations.md describes the format, and each file in simulations/ is one that is played by the tests.

  Background:
    Given a file kill.toml
      """
      title = "An agent is killed and found out"

      [nodes]
      count = 3

      [[step]]
      within = "10s"
      sees = { nodes = "all", state = "alive" }

      [[step]]
      after = "1s"
      kill = "n3"

      [[step]]
      within = "20s"
      sees = { nodes = "n3", state = "down" }
      """

  Scenario: What happened when is told
    When I run `tidings simulate kill.toml`
    Then it exits with 0
    And it prints
      | kill.toml: An agent is killed and found out (3 nodes, seed 1)               |
      | 00:00:0 | sees = { nodes = "all", state = "alive" }: holds after |
      | 00:00:01. | kill = "n3" |
      | sees = { nodes = "n3", state = "down" }: holds after |
      | passed after 00:00:0 | of virtual time |
    And it does not print "starts as"

  Scenario: A trace tells what agents do and find out, too
    When I run `tidings simulate kill.toml --trace`
    Then it exits with 0
    And it prints
      | n3: starts as |
      | see each other alive |
      | n3: ends |
      | sees n3 down |

  Scenario: The same seed gives the same run
    When I run `tidings simulate kill.toml --seed 7 --trace`
    Then it exits with 0
    And a second run prints the same
    And `tidings simulate kill.toml --seed 8 --trace` prints something else

  Scenario: A scenario that gives a count is played with more nodes
    When I run `tidings simulate kill.toml --nodes 12`
    Then it exits with 0
    And it prints
      | (12 nodes, seed 1) |
    When I run `tidings simulate kill.toml --nodes 2`
    Then it exits with 2
    And it complains "kill.toml, line 12: step.kill names "n3", which is neither a node nor a group"

  Scenario: What does not hold is told with what is there instead, and with the command that shows it again
    When the file kill.toml becomes
      """
      title = "An agent is killed, and missed"

      [nodes]
      count = 3

      [[step]]
      within = "10s"
      sees = { nodes = "all", state = "alive" }

      [[step]]
      kill = "n3"

      [[step]]
      throughout = "1m"
      sees = { nodes = "n3", state = ["alive", "suspect"], by = "n1" }
      """
    And I run `tidings simulate kill.toml --seed 5`
    Then it exits with 1
    And it prints
      | line 13: sees = { nodes = "n3", state = ["alive", "suspect"], by = "n1" }: does not hold any more |
      | n1: sees n3 as down |
      | failed after 00:00:0 | to see it again |
      | tidings simulate kill.toml --seed 5 --trace |

  Scenario: Several scenarios are played one after the other
    Given a file knob.toml
      """
      title = "A partition that nobody notices"

      [nodes]
      names = ["a", "b"]

      [[step]]
      within = "10s"
      agree = "all"

      [[step]]
      partition = ["a"]

      [[step]]
      heal = true
      """
    When I run `tidings simulate kill.toml knob.toml`
    Then it exits with 1
    And it prints
      | kill.toml: An agent is killed and found out |
      | knob.toml: A partition that nobody notices |
      | line 10: partition = ["a"] had no effect: it hit no packet |
      | 2 scenarios: 1 passed, 1 failed |

  Scenario: All flaws of a file are told at once, each with its line
    When the file kill.toml becomes
      """
      title = "Wrong"
      [nodes]
      count = 3
      [[step]]
      kil = "n1"
      [[step]]
      after = "1 minute"
      start = "n1"
      [[step]]
      stop = "n4"
      """
    And I run `tidings simulate kill.toml`
    Then it exits with 2
    And it prints nothing
    And it complains "kill.toml, line 5: step.kil is not known; did you mean kill?"
    And it complains "kill.toml, line 7: step.after is "1 minute"; a duration is whole numbers with d, h, m, s, ms or us"
    And it complains "kill.toml, line 10: step.stop names "n4", which is neither a node nor a group; there are n1 to n3"

  Scenario: A file that is not there is named
    When I run `tidings simulate nowhere.toml`
    Then it exits with 2
    And it complains "nowhere.toml: can't be read"

  Scenario: Random worlds in which every promise is watched
    When I run `tidings simulate --seeds 1..20`
    Then it exits with 0
    And it prints
      | seed 1: |
      | seed 20: |
      | 20 of 20 worlds kept every promise |

  Scenario: A world is told as a story
    When I run `tidings simulate --seeds 3..3 --trace`
    Then it exits with 0
    And it prints
      | seed 3: |
      | starts as |
      | all faults end |
    And a second run prints the same

  Scenario: Seeds are a range, and worlds of seeds have no file
    When I run `tidings simulate --seeds 5`
    Then it exits with 2
    And it complains "it takes A..B, such as 1..500"
    When I run `tidings simulate kill.toml --seeds 1..2`
    Then it exits with 2
    And it complains "cannot be used with"

  Scenario: How things grow is measured in clusters of several sizes
    When I run `tidings simulate --growth 10,3`
    Then it exits with 0
    And it prints
      | agents (seed 1)                                    | 3   | 10  |
      | a process is killed, until all know (seconds)      | 0.3 | 0.3 |
      | a host is lost, until all know (seconds)           | 2.  | 2.  |
      | a registration, until all show it (seconds)        | 0.0 | 0.0 |
      | an agent joins, until all show it (seconds)        | 0.0 | 0.0 |
      | a restart in churn, until all are right (seconds)  | 0.0 | 0.3 |
      | a node sends at rest (octets/s)                    | 1   | 1   |
      | a registration adds, for each node (octets)        | 1   | 1   |
      | an agent that joins adds, for each node (octets)   | 3   | 30  |
      | a node sends in churn (octets/s)                   | 2   | 2   |
      | a node holds open at rest (streams)                | 6 6 | 6 6 |
    And a second run prints the same

  Scenario: What was measured is drawn
    When I run `tidings simulate --growth 3,4 --plot growth.svg`
    Then it exits with 0
    And the file growth.svg has
      | <svg xmlns="http://www.w3.org/2000/svg" |
      | a host is lost, until all know |
      | >agents</text> |
      | >octets/s</text> |
      | prefers-color-scheme: dark |

  Scenario: A plot that can't be written is known before anything is measured
    When I run `tidings simulate --growth 10000 --plot nowhere/growth.svg`
    Then it exits with 1
    And it complains "can't write nowhere/growth.svg"
    When I run `tidings simulate --growth 2`
    Then it exits with 2
    And it complains "2 is not in 3..=10000"
    When I run `tidings simulate kill.toml --plot kill.svg`
    Then it exits with 2
    And it complains "cannot be used with"
    When I run `tidings simulate --plot kill.svg`
    Then it exits with 2
    And it complains "--growth"
