Feature: Guarding writes and agents
  Nobody overwrites what they have not seen, where they say so, and no page in a browser reaches an agent under another name.

  Background:
    Given an agent alpha

  Scenario: A replacement is made only of what was seen
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET /v1/agent/instances/web-1 at alpha
    And I note its header ETag
    And I PUT /v1/agent/instances/web-1 at alpha with the header If-Match: {noted}
      """
      {"service": "web", "port": 8081}
      """
    Then the answer is 200
    When I PUT /v1/agent/instances/web-1 at alpha with the header If-Match: {noted}
      """
      {"service": "web", "port": 8082}
      """
    Then the answer is the problem /problems/precondition-failed with status 412
      | /detail | ~GET it again |
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /port | 8081 |

  Scenario: A registration that must be a new one
    When I PUT /v1/agent/instances/web-1 at alpha with the header If-None-Match: *
      """
      {"service": "web", "port": 8080}
      """
    Then the answer is 201
    When I PUT /v1/agent/instances/web-1 at alpha with the header If-None-Match: *
      """
      {"service": "web", "port": 8080}
      """
    Then the answer is the problem /problems/precondition-failed with status 412
      | /detail | ~already |

  Scenario: A removal of what was seen
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET /v1/agent/instances/web-1 at alpha
    And I note its header ETag
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 9090 |
    And I DELETE /v1/agent/instances/web-1 at alpha with the header If-Match: {noted}
    Then the answer is the problem /problems/precondition-failed with status 412
    When I DELETE /v1/agent/instances/web-1 at alpha with the header If-Match: *
    Then the answer is 204
    When I DELETE /v1/agent/instances/web-1 at alpha with the header If-Match: *
    Then the answer is the problem /problems/precondition-failed with status 412
      | /detail | ~no such instance |

  Scenario Outline: A precondition that can't be read is refused, not passed over
    When I <method> /v1/agent/instances/web-1 at alpha with the header <header>: a1b2c3
    Then the answer is the problem /problems/invalid-precondition with status 400
      | /detail | ~in quotes |

    Examples:
      | method | header        |
      | PUT    | If-Match      |
      | DELETE | If-None-Match |
      | GET    | If-None-Match |

  Scenario Outline: A request for <host> is for another host
    When I GET /v1/nodes at alpha with the header Host: <host>
    Then the answer is the problem /problems/misdirected with status 421
      | /detail | ~--http-name |

    Examples:
      | host                   |
      | evil.example           |
      | evil.example:8780      |
      | localhost.evil.example |
      | 127.0.0.1.evil.example |

  Scenario Outline: A request for <host> is for this one
    When I GET /v1/nodes at alpha with the header Host: <host>
    Then the answer is 200

    Examples:
      | host           |
      | {alpha}        |
      | {alpha}:8780   |
      | localhost      |
      | LOCALHOST:8780 |
      | [::1]:8780     |

  Scenario: A request that names no host is refused
    When I GET /v1/nodes at alpha without the header Host
    Then the answer is the problem /problems/missing-host with status 400

  Scenario: A host may have names of its own
    Given agent beta with
      | --http-name | tidings.example |
      | --http-name | db-1.example    |
    When I GET /v1/nodes at beta with the header Host: tidings.example:8780
    Then the answer is 200
    When I GET /v1/nodes at beta with the header Host: DB-1.example
    Then the answer is 200
    When I GET /v1/nodes at beta with the header Host: other.example
    Then the answer is the problem /problems/misdirected with status 421

  Scenario: A page of another site can't make an agent leave
    When I POST /v1/agent/leave at alpha with the header Origin: https://evil.example
    Then the answer is the problem /problems/cross-site with status 403
    And alpha goes on
    When I POST /v1/agent/leave at alpha with the header Origin: http://{alpha}:8780
    Then the answer is 200
    And alpha ends by itself
