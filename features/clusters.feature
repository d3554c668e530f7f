Feature: Agents form a cluster
  There is no server. An agent joins through any other, and each then answers for all.

  Scenario: What is registered at one agent is found at another
    Given an agent alpha
    And agent beta joins through alpha
    When alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
    Then v1.web.service.tidings.internal A at beta soon gives
      | {alpha} |
    And GET /v1/instances?service=web at beta soon lists
      | node  | id    | port | addresses.0 |
      | alpha | web-1 | 8080 | {alpha}     |
    And beta.node.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: A newcomer learns what was registered before it came
    Given an agent alpha
    And alpha registers 40 instances of web
    When agent beta joins through alpha
    And I look up web.service.tidings.internal SRV at beta over TCP
    Then the lookup gives 40 records

  Scenario: A change and a removal reach the others
    Given a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal SRV at beta soon gives
      | 1 10 8080 {alpha.hex}.addr.tidings.internal |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 9090 |
    Then web.service.tidings.internal SRV at beta soon gives
      | 1 10 9090 {alpha.hex}.addr.tidings.internal |
    When I DELETE /v1/agent/instances/web-1 at alpha
    Then web.service.tidings.internal SRV at beta is soon NXDOMAIN

  Scenario: Three agents all see all
    Given a cluster of alpha, beta and gamma
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at alpha soon gives
      | {alpha} |
      | {beta}  |
      | {gamma} |
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |
      | {beta}  |
      | {gamma} |
    And web.service.tidings.internal A at gamma soon gives
      | {alpha} |
      | {beta}  |
      | {gamma} |

  Scenario: Some seeds may be dead
    Given an agent alpha
    When agent beta joins through {nobody}, gamma and alpha
    Then beta soon sees alpha as alive
    And alpha soon sees beta as alive

  Scenario: A seed may be given with its port
    Given an agent alpha
    When agent beta joins through {alpha}:8746
    Then beta soon sees alpha as alive

  Scenario: An agent that starts before its seed joins it later
    Given agent beta starts before its seed alpha
    And an agent alpha
    Then beta soon sees alpha as alive
    And alpha soon sees beta as alive
    And GET /health/ready at beta is soon 200

  Scenario: Two halves become one cluster when somebody joins both
    Given a cluster of alpha and beta
    And an agent gamma
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When agent delta joins through alpha and gamma
    Then web.service.tidings.internal A at beta soon gives
      | {gamma} |
    And gamma soon sees beta as alive

  Scenario: An agent comes back to peers that it remembers, with its instances
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    And beta starts again without --join
    Then beta soon sees alpha as alive
    And alpha soon sees beta as alive
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: An agent that comes back at once after kill -9 is the same one in a later life
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    And I note /generation of GET /v1/nodes/beta at alpha
    When beta is killed
    And beta starts again
    Then /generation of GET /v1/nodes/beta at alpha is soon higher than noted
    And alpha soon sees beta as alive
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    And GET /v1/nodes at alpha soon lists
      | name  | state |
      | alpha | alive |
      | beta  | alive |

  Scenario: Two clusters never merge
    Given agent alpha with
      | --cluster | red |
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When agent beta tries to join through alpha
      | --cluster | blue |
    Then beta's log soon says "red"
    And beta's log soon says "blue"
    When I look up web.service.tidings.internal A at beta with EDNS 1232
    Then the lookup is SERVFAIL
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  | state |
      | alpha | alive |
    When alpha registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    And I GET /v1/nodes at alpha
    Then the answer lists
      | name  |
      | alpha |
    And beta's log says "red" once

  Scenario: A newcomer does not take the name of an agent that is there
    Given an agent alpha
    When agent beta tries to join through alpha
      | --name | alpha |
    Then beta's log soon says "{alpha}:8746"
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  | gossip       |
      | alpha | {alpha}:8746 |

  Scenario: A newcomer that asks an agent that is kept out for its name finds the others
    Given an agent alpha
    When agent beta tries to join through alpha
      | --name | alpha |
    Then beta's log soon says "{alpha}:8746"
    When agent gamma tries to join through beta
    Then GET /v1/nodes at gamma soon lists
      | name  | gossip       |
      | alpha | {alpha}:8746 |
      | gamma | {gamma}:8746 |
