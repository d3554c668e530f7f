@namespaces
Feature: Agents in networks as they are
  Hosts have addresses of one family or of both, stand behind routers, move, and fall silent; and between any two of them something
  may be lost. Here each agent is on a host of its own.

  # Black holes

  Scenario: A host that falls silent is down for all others within seconds
    Given hosts alpha, beta, gamma, delta and epsilon with IPv4
    And a cluster of alpha, beta, gamma, delta and epsilon
    And epsilon registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {epsilon} |
    When epsilon's host is cut off
    Then alpha, beta, gamma and delta see epsilon as down within 5 seconds
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When I GET /v1/nodes at delta
    Then the answer lists
      | name    | state |
      | alpha   | alive |
      | beta    | alive |
      | gamma   | alive |
      | delta   | alive |
      | epsilon | down  |
    When the network is whole again
    Then alpha soon sees epsilon as alive
    And delta soon sees epsilon as alive
    And epsilon soon sees alpha as alive
    And web.service.tidings.internal A at beta soon gives
      | {epsilon} |

  Scenario Outline: A host of which <what> is down for all others
    Given hosts alpha, beta, gamma, delta and epsilon with IPv4
    And a cluster of alpha, beta, gamma, delta and epsilon
    When <event>
    Then alpha, beta, gamma and delta see epsilon as down within 20 seconds
    And alpha sees delta as alive
    And delta sees alpha as alive
    When the network is whole again
    Then alpha soon sees epsilon as alive
    And epsilon soon sees delta as alive

    Examples:
      | what                  | event                                  |
      | nothing more is heard | nothing that epsilon sends arrives     |
      | nothing is reached    | nothing that is sent to epsilon arrives |

  Scenario: Two that can't reach each other stay alive for all, since others reach both
    Given hosts alpha, beta, gamma, delta and epsilon with IPv4
    And a cluster of alpha, beta, gamma, delta and epsilon
    When nothing that alpha sends arrives at epsilon
    And epsilon registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at alpha soon gives
      | {epsilon} |
    And for 10 seconds alpha, beta and epsilon see alpha, beta, gamma, delta and epsilon as alive

  Scenario: Where a fifth of all packets is lost, nobody is taken for gone, and who is gone is found out
    Given hosts alpha, beta, gamma, delta and epsilon with IPv4
    And a cluster of alpha, beta, gamma, delta and epsilon
    When 20 % of all packets are lost
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at beta soon gives
      | {alpha} |
    And web.service.tidings.internal A at epsilon soon gives
      | {alpha} |
    And for 10 seconds alpha, beta, gamma, delta and epsilon see alpha, beta, gamma, delta and epsilon as alive
    When epsilon's host is cut off
    Then alpha, beta, gamma and delta see epsilon as down within 8 seconds

  # Routers

  Scenario: An agent behind a router is reached where it says
    Given hosts alpha and beta with IPv4
    And host gamma behind a router that hides it
    And the router forwards its port 9000 to gamma's gossip port
    And a cluster of alpha and beta
    When agent gamma joins through alpha
      | --advertise | {router}:9000 |
    Then alpha soon sees gamma as alive
    And beta soon sees gamma as alive
    And GET /v1/nodes at beta soon lists
      | name  | gossip        |
      | alpha | {alpha}:8746  |
      | beta  | {beta}:8746   |
      | gamma | {router}:9000 |
    When gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at beta soon gives
      | {router} |
    When beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at gamma soon gives
      | {beta}   |
      | {router} |
    When gamma is killed
    Then alpha and beta see gamma as down within 6 seconds
    When gamma starts again
    Then alpha soon sees gamma as alive
    And beta soon sees gamma as alive

  Scenario: Two agents behind one router are told apart by its ports
    Given host alpha with IPv4
    And hosts beta and gamma behind a router that hides them
    And the router forwards its port 9000 to beta's gossip port
    And the router forwards its port 9001 to gamma's gossip port
    And an agent alpha
    When agent beta joins through alpha
      | --advertise | {router}:9000 |
    And agent gamma joins through alpha
      | --advertise | {router}:9001 |
    Then beta soon sees gamma as alive
    And gamma soon sees beta as alive
    And alpha, beta and gamma soon see each other as alive
    And for 5 seconds alpha, beta and gamma see alpha, beta and gamma as alive
    When gamma is killed
    Then alpha and beta see gamma as down within 6 seconds
    And alpha sees beta as alive

  # Families

  Scenario: A cluster of IPv6 alone
    Given hosts alpha, beta and gamma with IPv6
    And a cluster of alpha, beta and gamma
    When beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal AAAA at alpha soon gives
      | {beta} |
    And web.service.tidings.internal SRV at gamma soon gives
      | 1 10 8080 {beta.hex}.addr.tidings.internal |
    And {beta.hex}.addr.tidings.internal AAAA at gamma soon gives
      | {beta} |
    When I run `tidings members` beside gamma
    Then it exits with 0
    When gamma is killed
    Then alpha and beta see gamma as down within 6 seconds

  Scenario: An agent that listens on all addresses of a host with IPv6 alone
    Given hosts alpha and beta with IPv6
    And agent alpha with
      | --gossip | [::]:8746 |
    When agent beta joins through alpha
      | --gossip | [::]:8746 |
    Then alpha soon sees beta as alive
    And GET /v1/nodes at alpha soon lists
      | name  | gossip         |
      | alpha | [{alpha}]:8746 |
      | beta  | [{beta}]:8746  |

  Scenario: An agent that listens on both families sends datagrams by either
    Given hosts alpha and beta with IPv4 and IPv6
    And an agent alpha
    When agent beta joins through alpha
      | --gossip    | [::]:8746 |
      | --advertise | {beta}    |
    Then the metrics at alpha soon show
      | tidings_gossip_datagrams_total{direction="in"} | 3 or more |
    And the metrics at beta soon show
      | tidings_gossip_datagrams_total{direction="in"} | 3 or more |
    And alpha sees beta as alive
    And GET /v1/nodes at alpha soon lists
      | name  | gossip       |
      | alpha | {alpha}:8746 |
      | beta  | {beta}:8746  |

  Scenario: Agents that listen on both families reach those that have IPv4 alone
    Given hosts alpha and beta with IPv4 and IPv6
    And hosts gamma and delta with IPv4
    And agent alpha with
      | --gossip    | [::]:8746 |
      | --advertise | {alpha}   |
    And agent beta joins through alpha
      | --gossip    | [::]:8746 |
      | --advertise | {beta}    |
    And agent gamma joins through beta
    And agent delta joins through alpha
      | --gossip | [::]:8746 |
    Then GET /v1/nodes at gamma soon lists
      | name  | gossip       | state |
      | alpha | {alpha}:8746 | alive |
      | beta  | {beta}:8746  | alive |
      | gamma | {gamma}:8746 | alive |
      | delta | {delta}:8746 | alive |
    And alpha, beta, gamma and delta soon see each other as alive
    And for 5 seconds alpha, beta, gamma and delta see alpha, beta, gamma and delta as alive
    When beta is killed
    Then alpha, gamma and delta see beta as down within 6 seconds

  Scenario: Hosts with IPv4 alone and hosts with IPv6 alone are one cluster by those that have both
    Given hosts alpha and beta with IPv4 and IPv6
    And host gamma with IPv4
    And host delta with IPv6
    And agent alpha with
      | --gossip    | [::]:8746 |
      | --advertise | {alpha}   |
    And agent beta joins through {alpha}
      | --gossip    | [::]:8746  |
      | --advertise | {beta.six} |
    And agent gamma joins through alpha
    And agent delta joins through {beta.six}
    When gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at delta soon gives
      | {gamma} |
    When delta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal AAAA at gamma soon gives
      | {delta} |
    And alpha, beta, gamma and delta soon see each other as alive
    And for 10 seconds alpha, beta, gamma and delta see alpha, beta, gamma and delta as alive
    When delta is killed
    Then alpha, beta and gamma see delta as down within 8 seconds

  Scenario: Agents that listen on both families may be reached by either
    Given hosts alpha, beta and gamma with IPv4 and IPv6
    And agent alpha with
      | --gossip    | [::]:8746 |
      | --advertise | {alpha}   |
    And agent beta joins through alpha
      | --gossip | [::]:8746 |
    And agent gamma joins through {beta.six}
      | --gossip    | [::]:8746    |
      | --advertise | {gamma.six}  |
    Then GET /v1/nodes at alpha soon lists
      | name  | gossip             | state |
      | alpha | {alpha}:8746       | alive |
      | beta  | [{beta.six}]:8746  | alive |
      | gamma | [{gamma.six}]:8746 | alive |
    And alpha, beta and gamma soon see each other as alive
    And for 5 seconds alpha, beta and gamma see alpha, beta and gamma as alive
    When gamma is killed
    Then alpha and beta see gamma as down within 6 seconds

  Scenario: A seed of a family that gossip does not speak is joined by a stream, and named in the log
    Given hosts alpha and beta with IPv4 and IPv6
    And agent alpha with
      | --gossip    | [::]:8746 |
      | --advertise | {alpha}   |
    When agent beta joins through {alpha.six}
    Then alpha soon sees beta as alive
    And beta's log soon says "seed=[{alpha.six}]:8746"
    And beta's log soon says "--gossip [::]:8746 is for both"

  Scenario: A seed whose name has no address is named in the log
    Given host alpha with IPv4
    And the name seed.example means nobody
    When agent alpha tries to join through seed.example
    Then alpha's log soon says "its name has no address"
    And alpha's log says "its name has no address" once

  Scenario: A peer that advertises an address of the other family is named in the log, and reached by streams where that can be
    Given hosts alpha and beta with IPv4 and IPv6
    And an agent alpha
    When agent beta joins through alpha
      | --gossip    | [::]:8746  |
      | --advertise | {beta.six} |
    Then alpha's log soon says "no datagram of this agent gets to the peer"
    And alpha's log soon says "peer=[{beta.six}]:8746"
    And alpha and beta soon see each other as alive
    And for 5 seconds alpha and beta see alpha and beta as alive

  Scenario: Who listens on IPv4 on a host that has IPv6 alone is told so
    Given host alpha with IPv6
    When agent alpha is started with
      | --gossip | 0.0.0.0:8746 |
    Then alpha's log soon says "no other host can reach this agent"
    And alpha's log soon says "--gossip [::]:8746"

  # Names

  Scenario: A seed that moved is found by its name
    Given hosts alpha, beta and gamma with IPv4
    And the name seed.example means gamma
    And an agent alpha
    When agent beta tries to join through seed.example
    And the name seed.example comes to mean alpha
    Then beta soon sees alpha as alive
    And alpha soon sees beta as alive

  Scenario: A seed whose name nobody knows yet is found when it has one
    Given hosts alpha and beta with IPv4
    And an agent alpha
    When agent beta tries to join through seed.example:8746
    Then GET /health/live at beta is soon 200
    When the name seed.example comes to mean alpha
    Then beta soon sees alpha as alive

  Scenario: An agent whose peers all moved finds them by the name of its seed
    Given hosts alpha, beta, gamma and delta with IPv4
    And the name seed.example means alpha
    And an agent alpha
    And agent beta joins through seed.example
    And agent gamma joins through seed.example
    And an agent delta
    When alpha is killed
    And gamma is killed
    And the name seed.example comes to mean delta
    Then beta soon sees delta as alive
    And delta soon sees beta as alive

  Scenario: One name may mean several seeds
    Given hosts alpha, beta, gamma and delta with IPv4
    And the name seed.example means alpha, beta and gamma
    And an agent beta
    When agent delta joins through seed.example
    Then beta soon sees delta as alive

  # DNS

  Scenario Outline: DNS that is served on all addresses answers from the one that was asked (<listen>)
    Given hosts alpha and beta with IPv4 and IPv6
    And alpha's host has a second address
    And agent alpha with
      | --dns | <listen>:8753 |
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
    Then web.service.tidings.internal A at {alpha}, asked from beta's host, gives
      | 10.0.0.5 |
    And web.service.tidings.internal A at {alpha.second}, asked from beta's host, gives
      | 10.0.0.5 |

    Examples:
      | listen  |
      | 0.0.0.0 |
      | [::]    |
