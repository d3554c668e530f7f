Feature: Everything has a limit, and says so
  At a limit a write is refused with a reason, nothing is lost, and what was there goes on.

  Scenario: A definition that is too large as a whole is refused
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha with metadata of 9000 octets
    Then the answer is the problem /problems/definition-too-large with status 422
      | /detail | ~at most 8192 |
    When I PUT /v1/agent/instances/web-1 at alpha with metadata of 7000 octets
    Then the answer is 201

  Scenario: A definition too large for a datagram reaches the others all the same
    Given a cluster of alpha and beta
    When I PUT /v1/agent/instances/web-1 at alpha with metadata of 7000 octets
    Then the answer is 201
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |

  Scenario: A node owns so many instances and no more
    Given an agent alpha
    And alpha registers 1000 instances of web
    When I PUT /v1/agent/instances/one-more at alpha
      """
      {"service": "web", "port": 80}
      """
    Then the answer is the problem /problems/node-full with status 409
      | /detail | ~1000 |
    When I PUT /v1/agent/instances/web-7 at alpha
      """
      {"service": "web", "port": 80}
      """
    Then the answer is 200
    When I DELETE /v1/agent/instances/web-7 at alpha
    And I PUT /v1/agent/instances/one-more at alpha
      """
      {"service": "web", "port": 80}
      """
    Then the answer is 201

  Scenario: A full disk refuses writes and stops nothing else
    Given an agent alpha with room for 65536 octets on its disk
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I register instances at alpha until its disk is full
    Then the answer is the problem /problems/storage-failed with status 507
    And alpha goes on
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |

  Scenario: An agent that is leaving takes no more writes
    Given a cluster of alpha and beta
    When beta is paused
    And I begin to POST /v1/agent/leave at alpha
    Then a PUT of /v1/agent/instances/web-1 at alpha is soon the problem /problems/leaving with status 503
    And alpha ends by itself
