Feature: Registering instances
  A program tells the agent beside it where it listens, in one request. From the moment of the answer it is found.

  Background:
    Given an agent alpha

  Scenario: A new instance is created and found at once
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 8080}
      """
    Then the answer is 201 with
      | /id       | web-1 |
      | /service  | web   |
      | /port     | 8080  |
      | /protocol | tcp   |
      | /weight   | 10    |
    And its header Location is /v1/agent/instances/web-1
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |
    When I GET /v1/instances?service=web at alpha
    Then the answer lists
      | node  | id    | port | addresses.0 | status  |
      | alpha | web-1 | 8080 | {alpha}     | passing |

  Scenario: An instance may have everything that there is to say about it
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"id": "web-1", "service": "web", "addresses": ["10.0.0.5", "fd00::5"], "port": 8080, "protocol": "udp",
       "tags": ["v1", "eu"], "meta": {"git": "a1b2c3"}, "weight": 20}
      """
    Then the answer is 201
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /id        | web-1                   |
      | /service   | web                     |
      | /addresses | ["10.0.0.5", "fd00::5"] |
      | /port      | 8080                    |
      | /protocol  | udp                     |
      | /tags      | ["v1", "eu"]            |
      | /meta      | {"git": "a1b2c3"}       |
      | /weight    | 20                      |

  Scenario: Registering the same again changes nothing
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 8080}
      """
    Then the answer is 200 with
      | /port | 8080 |
    When I GET /v1/agent/instances at alpha
    Then the answer lists
      | id    |
      | web-1 |

  Scenario: Another definition replaces the earlier one at once
    Given alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "shop", "port": 9090, "tags": ["v2"]}
      """
    Then the answer is 200 with
      | /service | shop   |
      | /port    | 9090   |
      | /tags    | ["v2"] |
    When I look up shop.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 9090 {alpha.hex}.addr.tidings.internal |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN
    When I look up v1.shop.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN

  Scenario: What is read can be sent back
    Given alpha registers
      | id    | service | port | addresses     | tags         | meta                | protocol | weight |
      | web-1 | web     | 8080 | ["10.0.0.5"]  | ["v1", "eu"] | {"git": "a1b2c3"}   | udp      | 20     |
    When I GET /v1/agent/instances/web-1 at alpha
    And I PUT that answer to /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /tags   | ["v1", "eu"]      |
      | /meta   | {"git": "a1b2c3"} |
      | /weight | 20                |

  Scenario: An agent lists the definitions that it owns
    When I GET /v1/agent/instances at alpha
    Then the answer lists nothing
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |
      | db-1  | db      | 5432 |
    When I GET /v1/agent/instances at alpha
    Then the answer lists
      | id    | service | port |
      | db-1  | db      | 5432 |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |

  Scenario: A deregistered instance is gone at once
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |
    When I DELETE /v1/agent/instances/web-1 at alpha
    Then the answer is 204
    And its body is empty
    When I look up web.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 8081 {alpha.hex}.addr.tidings.internal |
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is the problem /problems/no-such-instance with status 404

  Scenario: What was never registered can't be deregistered
    When I DELETE /v1/agent/instances/web-1 at alpha
    Then the answer is the problem /problems/no-such-instance with status 404

  Scenario: Service names are compared without regard to case
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "Web", "port": 8080, "tags": ["V1"]}
      """
    Then the answer is 201 with
      | /service | web    |
      | /tags    | ["V1"] |
    When I look up v1.WEB.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |
    When I GET /v1/services/WEB at alpha
    Then the answer is 200 with
      | /name | web |

  Scenario: A registration that was answered survives kill -9
    Given alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
      | web-2 | web     | 8081 | ["v2"] |
    And I DELETE /v1/agent/instances/web-2 at alpha
    When alpha is killed
    And alpha starts again
    Then GET /v1/agent/instances at alpha soon lists
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
    And v1.web.service.tidings.internal A at alpha soon gives
      | {alpha} |
