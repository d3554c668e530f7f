Feature: An operator takes things out of discovery
  Maintenance takes an instance, or a whole node, out of every answer at once while its processes run on, and says why.

  Scenario: An instance in maintenance is handed out nowhere
    Given a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at beta soon gives
      | {alpha} |
    When I PUT /v1/agent/instances/web-1/maintenance at alpha
      """
      {"reason": "new disk"}
      """
    Then the answer is 204
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    And web.service.tidings.internal A at beta is soon NODATA
    When I GET /v1/instances?service=web&status=any at beta
    Then the answer is 200 with
      | /items/0/status           | passing     |
      | /items/0/held_back/reason | maintenance |
      | /items/0/held_back/detail | ~new disk   |
    When I DELETE /v1/agent/instances/web-1/maintenance at alpha
    Then the answer is 204
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |

  Scenario: A node in maintenance is handed out nowhere
    Given a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at beta soon gives
      | {alpha} |
    When I PUT /v1/agent/maintenance at alpha
      """
      {"reason": "kernel"}
      """
    Then the answer is 204
    And web.service.tidings.internal A at beta is soon NODATA
    When I GET /v1/instances?service=web&status=any at beta
    Then the answer is 200 with
      | /items/0/held_back/reason | node_maintenance |
      | /items/0/held_back/detail | ~kernel          |
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /maintenance | kernel |
    When I DELETE /v1/agent/maintenance at alpha
    Then the answer is 204
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |

  Scenario: Maintenance outlives a crash, and a new definition
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I PUT /v1/agent/instances/web-1/maintenance at alpha
      """
      {"reason": "new disk"}
      """
    And I PUT /v1/agent/maintenance at alpha
      """
      {"reason": "kernel"}
      """
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8081 |
    And alpha is killed
    And alpha starts again
    And I DELETE /v1/agent/maintenance at alpha
    And I GET /v1/agent/instances/web-1/status at alpha
    Then the answer is 200 with
      | /maintenance | new disk |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA

  Scenario Outline: A maintenance without <what> is refused
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I PUT <path> at alpha
      """
      <body>
      """
    Then the answer is the problem <problem> with status <status>

    Examples:
      | what        | path                                  | body            | problem                      | status |
      | a reason    | /v1/agent/instances/web-1/maintenance | {}              | /problems/invalid-definition | 422    |
      | an instance | /v1/agent/instances/web-9/maintenance | {"reason": "x"} | /problems/no-such-instance   | 404    |

  Scenario: From the command line
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I run `tidings maintenance on web-1 --reason disk` beside alpha
    Then it exits with 0
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When I run `tidings maintenance off web-1` beside alpha
    Then it exits with 0
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |
    When I run `tidings maintenance on` beside alpha
    Then it exits with 2
    And it complains "--reason"
