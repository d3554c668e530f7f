Feature: Forgetting a node
  A node that is down is remembered for a day, in case it comes back. Who knows that it won't has it forgotten at once, by all agents.

  Scenario: A node that is down is forgotten everywhere, and comes back when it starts again
    Given a cluster of alpha, beta and gamma
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then GET /v1/nodes/gamma/instances at beta soon lists
      | id    |
      | web-1 |
    When gamma is killed
    Then alpha soon sees gamma as down
    And beta soon sees gamma as down
    When I DELETE /v1/nodes/gamma at alpha
    Then the answer is 204
    And GET /v1/nodes/gamma at alpha is soon 404
    And GET /v1/nodes/gamma at beta is soon 404
    When I GET /v1/services/web at beta
    Then the answer is the problem /problems/no-such-service with status 404
    When gamma starts again
    Then alpha soon sees gamma as alive
    And GET /v1/nodes/gamma/instances at beta soon lists
      | id    |
      | web-1 |

  Scenario: A node that is up is not forgotten
    Given a cluster of alpha and beta
    When I DELETE /v1/nodes/beta at alpha
    Then the answer is the problem /problems/node-is-up with status 409
    When I DELETE /v1/nodes/alpha at alpha
    Then the answer is the problem /problems/node-is-up with status 409
    When I DELETE /v1/nodes/nobody at alpha
    Then the answer is the problem /problems/no-such-node with status 404

  Scenario: From the command line
    Given a cluster of alpha and beta
    When I run `tidings forget beta` beside alpha
    Then it exits with 1
    And it complains "is up"
    When beta is stopped by SIGTERM
    Then alpha soon sees beta as left
    When I run `tidings forget beta` beside alpha
    Then it exits with 0
    And it prints
      | beta is forgotten |
    And GET /v1/nodes/beta at alpha is soon 404
    When I run `tidings forget beta` beside alpha
    Then it exits with 1

  Scenario: A node that was forgotten though it lives comes back by itself
    Given a cluster of alpha, beta and gamma
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When gamma is paused
    Then alpha soon sees gamma as down
    And beta soon sees gamma as down
    When I DELETE /v1/nodes/gamma at alpha
    Then the answer is 204
    And GET /v1/nodes/gamma at beta is soon 404
    When gamma is resumed
    Then alpha soon sees gamma as alive
    And beta soon sees gamma as alive
    And GET /v1/nodes/gamma/instances at beta soon lists
      | id    |
      | web-1 |
    And GET /v1/agent at gamma soon has
      | /generation | 2 |
    And gamma's log soon says "it was forgotten on request, up to generation 1"
    And the metrics at gamma soon show
      | tidings_climbs_total{cause="buried"} | 1 |

  Scenario: What was forgotten stays so when the agent that was told starts again
    Given a cluster of alpha and beta
    When beta is killed
    Then alpha soon sees beta as down
    When I DELETE /v1/nodes/beta at alpha
    Then the answer is 204
    And the metrics at alpha soon show
      | tidings_graves | 1 |
    When alpha is killed
    And alpha starts again alone
    Then the metrics at alpha soon show
      | tidings_graves | 1 |

  Scenario: As many nodes as are kept from coming back are forgotten, and no more
    Given a cluster of alpha and beta
    When a peer tells alpha of 4096 nodes that are not to come back
    Then the metrics at alpha soon show
      | tidings_graves | 4096 |
    When beta is killed
    Then alpha soon sees beta as down
    When I DELETE /v1/nodes/beta at alpha
    Then the answer is the problem /problems/too-many-forgotten with status 409
    And alpha sees beta as down
