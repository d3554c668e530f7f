Feature: The command line
  Commands talk to the agent beside them, print a table for people and, with --json, what the API answered. Scripts go by the exit code:
  0 done, 1 the answer is no, 2 wrong usage, 3 no agent reached; `tidings agent` ends with 4 where another agent runs on a copy of its folder.

  Scenario: Members are shown
    Given a cluster of alpha and beta
    When I run `tidings members` beside alpha
    Then it exits with 0
    And it prints
      | alpha | alive | {alpha} |
      | beta  | alive | {beta}  |
    When I run `tidings members --json` beside alpha
    Then it exits with 0
    And it prints JSON that lists
      | name  | state |
      | alpha | alive |
      | beta  | alive |

  Scenario: Services are shown
    Given an agent alpha
    And alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
      | db-1  | db      | 5432 |        |
    When I run `tidings services` beside alpha
    Then it exits with 0
    And it prints
      | web | v1 |
      | db  |    |
    When I run `tidings services --json` beside alpha
    Then it exits with 0
    And it prints JSON that lists
      | name |
      | db   |
      | web  |

  Scenario: One service is shown with its instances
    Given an agent alpha
    And alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
    When I run `tidings service web` beside alpha
    Then it exits with 0
    And it prints
      | web-1 | alpha | {alpha} | 8080 |
    When I run `tidings service web --json` beside alpha
    Then it exits with 0
    And it prints JSON with
      | /name | web |

  Scenario: What DNS hands out of a service is shown, and why
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses    | weight | checks                                               |
      | web-1 | web     | 8080 | ["10.0.0.5"] | 20     |                                                      |
      | web-2 | web     | 8080 | ["10.0.0.6"] | 20     | [{"id": "beat", "ttl": "1h", "initial": "warning"}]  |
      | web-3 | web     | 8080 | ["10.0.0.7"] | 20     | [{"id": "beat", "ttl": "1h", "initial": "critical"}] |
    When I run `tidings service web --dns` beside alpha
    Then it exits with 0
    And it prints
      | web.service.tidings.internal | A   | 0 | 10.0.0.5                                 | web-1 on alpha | passing                               |
      | web.service.tidings.internal | A   | 0 | 10.0.0.6                                 | web-2 on alpha | warning                               |
      | web.service.tidings.internal | SRV | 0 | 1 20 8080 0a000005.addr.tidings.internal | web-1 on alpha | passing                               |
      | web.service.tidings.internal | SRV | 0 | 1 5 8080 0a000006.addr.tidings.internal  | web-2 on alpha | warning: a share of 5 in place of 20  |
      | -                            | -   | - | -                                        | web-3 on alpha | held back: its check beat is critical |
    And it does not print "10.0.0.7"
    When I run `tidings service web --dns --json` beside alpha
    Then it prints JSON with
      | /items/1/type      | A                  |
      | /items/1/data      | 10.0.0.6           |
      | /items/1/why       | warning            |
      | /items/4/held_back | true               |
      | /items/4/instances | ["web-3 on alpha"] |
    When I run `tidings service shop --dns` beside alpha
    Then it exits with 1
    And it complains "shop"

  Scenario: A service that nobody registered is a no
    Given an agent alpha
    When I run `tidings service shop` beside alpha
    Then it exits with 1
    And it prints nothing
    And it complains "shop"

  Scenario: Instances are searched
    Given an agent alpha
    And alpha registers
      | id    | service | port | tags         | meta              |
      | web-1 | web     | 8080 | ["v1", "eu"] | {"git": "a1b2c3"} |
      | web-2 | web     | 8081 | ["v2"]       |                   |
    When I run `tidings instances` beside alpha
    Then it exits with 0
    And it prints
      | web-1 | 8080 |
      | web-2 | 8081 |
    When I run `tidings instances --service web --tag v1 --tag eu --meta git:a1b2c3 --status passing` beside alpha
    Then it exits with 0
    And it prints
      | web-1 | 8080 |
    And it does not print "web-2"
    When I run `tidings instances --tag v2 --json` beside alpha
    Then it exits with 0
    And it prints JSON that lists
      | id    |
      | web-2 |
    When I run `tidings instances --service shop` beside alpha
    Then it exits with 1

  Scenario: What is held back is shown on request
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    And I run `tidings instances --service web` beside alpha
    Then it exits with 1
    When I run `tidings instances --service web --status any` beside alpha
    Then it exits with 0
    And it prints
      | web-1 | beta | left |

  Scenario: Members are watched
    Given a cluster of alpha and beta
    When I start `tidings members --watch` beside alpha
    Then it soon prints
      | TIME  | CHANGE |       |         |
      | there | alpha  | alive | {alpha} |
      | there | beta   | alive | {beta}  |
    When beta is stopped by SIGTERM
    Then it soon prints
      | changed | beta | left |
    When agent gamma joins through alpha
    Then it soon prints
      | new | gamma | alive | {gamma} |
    When I send it SIGINT
    Then it exits with 0

  Scenario: Instances are watched as they are handed out, from none on
    Given an agent alpha
    When I start `tidings instances --service web --watch` beside alpha
    Then it soon complains "--status any"
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | db-1  | db      | 5432 |
    Then it soon prints
      | new | web-1 | {alpha}:8080 |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8081 |
    Then it soon prints
      | changed | web-1 | {alpha}:8081 |
    When I run `tidings deregister web-1` beside alpha
    Then it soon prints
      | gone | web-1 | {alpha}:8081 |
    When I send it SIGTERM
    Then it exits with 0
    And it does not print "db-1"

  Scenario: A service is watched before anybody registers it, and as JSON a line at a time
    Given an agent alpha
    When I start `tidings service web --watch --json` beside alpha
    Then its last line is soon JSON with
      | /status | 404 |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then its last line is soon JSON with
      | /name         | web |
      | /counts/total | 1   |
    When I send it SIGINT
    Then it exits with 0

  Scenario: A service is watched with those of its instances that are held back
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I start `tidings service web --watch` beside alpha
    Then it soon prints
      | there | web-1 | passing |
    When I run `tidings maintenance on web-1 --reason disk` beside alpha
    Then it soon prints
      | changed | web-1 | disk |
    When I send it SIGINT
    Then it exits with 0

  Scenario: Checks are watched
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 8080, "checks": [{"id": "beat", "ttl": "1h"}]}
      """
    And I start `tidings checks --watch` beside alpha
    Then it soon prints
      | there | web-1 | beat | critical |
    When I run `tidings heartbeat web-1 beat` beside alpha
    Then it soon prints
      | changed | web-1 | beat | passing |
    When I send it SIGINT
    Then it exits with 0

  Scenario: Services are watched as JSON, all of them in a line at each change
    Given an agent alpha
    When I start `tidings services --watch --json` beside alpha
    Then its last line is soon JSON that lists
      | name |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then its last line is soon JSON that lists
      | name |
      | web  |
    When alpha registers
      | id   | service | port |
      | db-1 | db      | 5432 |
    Then its last line is soon JSON that lists
      | name |
      | db   |
      | web  |
    When I send it SIGINT
    Then it exits with 0

  Scenario: An agent that is gone for a while is waited for, and what is elsewhere stays as it was
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When I start `tidings instances --watch` beside alpha
    Then it soon prints
      | there | web-1 | beta |
    When alpha is killed
    Then it soon complains "no agent reached at http://{alpha}:8780"
    When alpha starts again
    Then it soon complains "the agent answers again"
    When beta registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    Then it soon prints
      | new | web-2 | beta |
    When I send it SIGINT
    Then it exits with 0
    And it complained "no agent reached" once
    And it printed "web-1" once

  Scenario: A watch ends when nobody reads it any more, though nothing changes
    Given an agent alpha
    When I start `tidings members --watch` beside alpha
    Then it soon prints
      | there | alpha |
    When nobody reads what it prints any more
    Then it exits with 0

  Scenario: A watch without an agent to begin with says how to start one
    When I run `tidings members --watch --agent http://{nobody}:8780`
    Then it exits with 3
    And it complains "tidings agent"

  Scenario: An instance is registered from a file
    Given an agent alpha
    And a file web.json
      """
      {"id": "web-1", "service": "web", "port": 8080}
      """
    When I run `tidings register web.json` beside alpha
    Then it exits with 0
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |

  Scenario: An instance is registered from standard input
    Given an agent alpha
    When I run `tidings register -` beside alpha
      """
      {"id": "web-1", "service": "web", "port": 8080}
      """
    Then it exits with 0
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /port | 8080 |

  Scenario: A flawed definition is refused with what is wrong
    Given an agent alpha
    When I run `tidings register -` beside alpha
      """
      {"id": "web-1", "service": "web", "prot": 8080}
      """
    Then it exits with 2
    And it complains "/prot"
    And it complains "port"
    When I GET /v1/agent/instances at alpha
    Then the answer lists nothing

  Scenario: A file that is not there is named
    Given an agent alpha
    When I run `tidings register none.json` beside alpha
    Then it exits with 2
    And it complains "none.json"

  Scenario: An instance is deregistered
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I run `tidings deregister web-1` beside alpha
    Then it exits with 0
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN
    When I run `tidings deregister web-1` beside alpha
    Then it exits with 1
    And it complains "web-1"

  Scenario: The agent may be named on the command line
    Given an agent alpha
    When I run `tidings members --agent http://{alpha}:8780`
    Then it exits with 0
    And it prints
      | alpha | alive |

  Scenario: The agent may be named in TIDINGS_AGENT, and a flag beats it
    Given an agent alpha
    When I run `tidings members --agent http://{nobody}:8780` beside alpha
    Then it exits with 3

  Scenario Outline: `tidings <command>` without an agent says how to start one
    When I run `tidings <command> --agent http://{nobody}:8780`
    Then it exits with 3
    And it complains "{nobody}:8780"
    And it complains "tidings agent"

    Examples:
      | command          |
      | members          |
      | services         |
      | service web      |
      | instances        |
      | deregister web-1 |
      | leave            |

  Scenario Outline: Wrong usage is told: `tidings <line>`
    When I run `tidings <line>`
    Then it exits with 2
    And it complains "<hint>"

    Examples:
      | line              | hint     |
      | memebrs           | members  |
      | members --jsno    | --json   |
      | service           | NAME     |
      | register          | FILE     |
      | agent --nmae web  | --name   |

  Scenario: Help names every command
    When I run `tidings --help`
    Then it exits with 0
    And it prints
      | agent      |
      | members    |
      | services   |
      | service    |
      | instances  |
      | register   |
      | deregister |
      | leave      |
      | demo       |

  Scenario: Help tells of one command, too
    When I run `tidings help register`
    Then it exits with 0
    And it prints
      | FILE |

  Scenario: The version is told
    When I run `tidings --version`
    Then it exits with 0
    And it prints
      | tidings |

  Scenario Outline: bash completes `tidings <typed>`
    When a bash that has read `tidings completions bash` completes `tidings <typed>`
    Then it is offered
      | <word> |

    Examples:
      | typed             | word        |
      | mem               | members     |
      | comp              | completions |
      | instances --      | --watch     |
      | agent --on-term l | leave       |
      | maintenance o     | off         |

  Scenario Outline: A script for completion in <shell> is printed
    When I run `tidings completions <shell>`
    Then it exits with 0
    And it prints
      | tidings   |
      | instances |

    Examples:
      | shell      |
      | zsh        |
      | fish       |
      | elvish     |
      | powershell |

  Scenario: A shell that is not known is told of with those that are
    When I run `tidings completions tcsh`
    Then it exits with 2
    And it complains "fish"

  Scenario: The manual page is printed
    When I run `tidings man`
    Then it exits with 0
    And it prints
      | .TH TIDINGS 1            |
      | tidings\\-instances(1)   |
      | .SH EXAMPLES             |
      | .SH ENVIRONMENT          |
      | TIDINGS_AGENT            |
      | .SH "EXIT STATUS"        |

  Scenario: A manual page for each command is written into a folder
    When I run `tidings man --dir share/man/man1`
    Then it exits with 0
    And it prints nothing
    And the file share/man/man1/tidings.1 has
      | .TH TIDINGS 1 |
    And the file share/man/man1/tidings-agent.1 has
      | .TH TIDINGS-AGENT 1       |
      | .SH "CONFIGURATION FILE"  |
      | TIDINGS_DATA_DIR          |
      | .SH FILES                 |
    And the file share/man/man1/tidings-instances.1 has
      | marked there |

  Scenario: A folder that can't be written into is named
    Given a file taken
      """
      """
    When I run `tidings man --dir taken`
    Then it exits with 1
    And it complains "taken"

  @slow
  Scenario: The demo shows a cluster in a minute and leaves nothing behind
    When I run `tidings demo`
    Then it exits with 0
    And it prints
      | dig     | web.service.tidings.internal |
      | kill -9 |                              |
    And no agent is left behind
