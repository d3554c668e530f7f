Feature: Agents leave, restart and fail
  Whoever leaves in order is handed out no more from that moment on. Whoever only restarts loses nothing. Whoever fails is found out.

  Scenario Outline: An agent that is stopped leaves first
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by <signal>
    And I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    And alpha sees beta as left
    When I look up beta.node.tidings.internal A at alpha
    Then the lookup is NODATA

    Examples:
      | signal  |
      | SIGTERM |
      | SIGINT  |

  Scenario: All peers know of a leave before the agent ends
    Given a cluster of alpha, beta and gamma
    When gamma is stopped by SIGTERM
    Then alpha sees gamma as left
    And beta sees gamma as left

  Scenario: An agent that only restarts is handed out all the while
    Given an agent alpha
    And agent beta joins through alpha
      | --on-term | restart |
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    Then alpha sees beta as restarting
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {beta} |
    When beta starts again
    Then alpha soon sees beta as alive
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: A rolling restart takes nothing out of any answer
    Given a cluster of alpha, beta and gamma
      | --on-term | restart |
    And each of alpha, beta and gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at each of alpha, beta and gamma soon gives
      | {alpha} |
      | {beta}  |
      | {gamma} |
    When a client beside each of alpha, beta and gamma looks up web.service.tidings.internal A all the while
    And alpha, beta and gamma restart one after the other
    Then each client got these at each answer, and none got an empty one
      | {alpha} |
      | {beta}  |
      | {gamma} |

  Scenario: While all agents restart at once nobody denies what it can't know yet
    Given a cluster of alpha, beta and gamma
      | --on-term | restart |
    And gamma registers
      | id   | service | port |
      | db-1 | db      | 5432 |
    And db.service.tidings.internal A at each of alpha, beta and gamma soon gives
      | {gamma} |
    When a client beside each of alpha, beta and gamma looks up db.service.tidings.internal A all the while
    And alpha, beta and gamma restart at once, and the last of them takes longer
    Then each client got these at each answer, and none got an empty one
      | {gamma} |

  Scenario: An agent that does not come back from its restart is down
    Given an agent alpha
    And agent beta joins through alpha
      | --on-term | restart |
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    Then alpha sees beta as restarting
    And alpha soon sees beta as down
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA

  Scenario: An agent leaves on request over HTTP
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When I POST /v1/agent/leave at beta
    Then the answer is 200 with
      | /confirmed | 1 |
      | /asked     | 1 |
    And alpha sees beta as left
    And beta ends by itself
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA

  Scenario: An agent leaves on request by command
    Given a cluster of alpha and beta
    When I run `tidings leave` beside beta
    Then it exits with 0
    And beta ends by itself
    And alpha sees beta as left

  Scenario: An agent that left comes back when it is started
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    And beta starts again
    Then alpha soon sees beta as alive
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: An agent that fails is found down, and back when it starts
    Given a cluster of alpha, beta and gamma
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {gamma} |
    And web.service.tidings.internal A at beta soon gives
      | {gamma} |
    When gamma is killed
    Then alpha soon sees gamma as down
    And beta soon sees gamma as down
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When I GET /v1/instances?service=web&status=any at alpha
    Then the answer lists
      | node  | id    | held_back.reason |
      | gamma | web-1 | node_down        |
    When gamma starts again
    Then alpha soon sees gamma as alive
    And web.service.tidings.internal A at beta soon gives
      | {gamma} |

  Scenario: Of a service on two nodes the living one is found
    Given a cluster of alpha, beta and gamma
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta}  |
      | {gamma} |
    When beta is killed
    Then web.service.tidings.internal A at alpha soon gives
      | {gamma} |
