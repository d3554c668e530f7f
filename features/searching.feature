Feature: Searching over HTTP
  Any agent answers for the whole cluster, from its own memory.

  Scenario: Services are listed with their tags and how their instances are
    Given an agent alpha
    And alpha registers
      | id    | service | port | tags         |
      | web-1 | web     | 8080 | ["v1"]       |
      | web-2 | web     | 8081 | ["v2", "eu"] |
      | db-1  | db      | 5432 |              |
    When I GET /v1/services at alpha
    Then the answer lists
      | name | tags               | counts.total | counts.passing | counts.warning | counts.critical | counts.held_back |
      | db   | []                 | 1            | 1              | 0              | 0               | 0                |
      | web  | ["eu", "v1", "v2"] | 2            | 2              | 0              | 0               | 0                |
    When I GET /v1/services?prefix=w at alpha
    Then the answer lists
      | name |
      | web  |
    When I GET /v1/services?prefix=x at alpha
    Then the answer lists nothing

  Scenario: One service is shown, and one that nobody registered is not there
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET /v1/services/web at alpha
    Then the answer is 200 with
      | /name         | web |
      | /counts/total | 1   |
    When I GET /v1/services/shop at alpha
    Then the answer is the problem /problems/no-such-service with status 404

  Scenario Outline: Instances are found by <what>
    Given a cluster of alpha and beta
    And alpha registers
      | id    | service | port | tags         | meta                              |
      | web-1 | web     | 8080 | ["v1", "eu"] | {"git": "a1b2c3", "owner": "ops"} |
      | web-2 | web     | 8081 | ["V2", "eu"] | {"git": "d4e5f6"}                 |
    And beta registers
      | id    | service | port | tags   |
      | web-1 | web     | 9090 | ["v1"] |
      | db-1  | db      | 5432 | ["v1"] |
    Then GET <path> at alpha soon lists
      | node  | id    |
      | <a>   | <b>   |

    Examples:
      | what                      | path                                                | a     | b     |
      | service                   | /v1/instances?service=db                            | beta  | db-1  |
      | node and service          | /v1/instances?node=beta&service=web                 | beta  | web-1 |
      | two tags that both match  | /v1/instances?tag=v1&tag=eu                         | alpha | web-1 |
      | a tag in any case         | /v1/instances?tag=v2                                | alpha | web-2 |
      | metadata                  | /v1/instances?meta=git:d4e5f6                       | alpha | web-2 |
      | two pairs of metadata     | /v1/instances?meta=git:a1b2c3&meta=owner:ops        | alpha | web-1 |
      | all of it together        | /v1/instances?service=web&tag=v1&node=beta&status=passing | beta  | web-1 |

  Scenario Outline: A long list of <what> comes in pages
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | shop    | 8081 |
      | web-3 | db      | 8082 |
    When I GET <path>limit=2 at alpha
    Then the answer lists
      | <key> |
      | <a>   |
      | <b>   |
    When I note /next of that answer
    And I GET <path>limit=2&cursor={noted} at alpha
    Then the answer lists
      | <key> |
      | <c>   |
    And the answer is 200 with
      | /next | (absent) |

    Examples:
      | what      | path           | key  | a     | b     | c     |
      | instances | /v1/instances? | id   | web-1 | web-2 | web-3 |
      | services  | /v1/services?  | name | db    | shop  | web   |

  Scenario: Nodes come in pages, too
    Given a cluster of alpha, beta and gamma
    When I GET /v1/nodes?limit=2 at alpha
    Then the answer is 200 with
      | /items/1 | (present) |
      | /items/2 | (absent)  |
    When I note /next of that answer
    And I GET /v1/nodes?limit=2&cursor={noted} at alpha
    Then the answer is 200 with
      | /items/0 | (present) |
      | /items/1 | (absent)  |
      | /next    | (absent)  |

  Scenario: A page has 1,000 items unless another limit is given
    Given an agent alpha
    And agent beta joins through alpha
    And alpha registers 1000 instances of web
    And beta registers
      | id   | service | port |
      | db-1 | db      | 5432 |
    And GET /v1/instances?service=db at alpha soon lists
      | id   |
      | db-1 |
    When I GET /v1/instances at alpha
    Then the answer is 200 with
      | /items/999  | (present) |
      | /items/1000 | (absent)  |
      | /next       | (present) |
    When I GET /v1/instances?limit=10000 at alpha
    Then the answer is 200 with
      | /items/1000 | (present) |
      | /next       | (absent)  |

  Scenario: Some instances are picked at random by their weight
    Given an agent alpha
    And alpha registers
      | id    | service | port | weight |
      | web-1 | web     | 8080 | 60000  |
      | web-2 | web     | 8081 | 1      |
    Then 40 times GET /v1/instances?service=web&pick=1 at alpha mostly lists web-1 alone
    When I GET /v1/instances?service=web&pick=5 at alpha
    Then the answer lists
      | id    |
      | web-1 |
      | web-2 |
    And it has no header ETag
    And its header Cache-Control is no-store

  Scenario: What nothing matches is an empty list
    Given an agent alpha
    And alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v1"] |
    When I GET /v1/instances?service=shop at alpha
    Then the answer lists nothing
    When I GET /v1/instances?service=web&tag=v2 at alpha
    Then the answer lists nothing
    When I GET /v1/instances?status=critical at alpha
    Then the answer lists nothing

  Scenario: Nodes and instances are found by zone
    Given agent alpha with
      | --zone | rack-1 |
    And agent beta joins through alpha
      | --zone | rack-2 |
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And beta registers
      | id    | service | port |
      | web-2 | web     | 8080 |
    Then GET /v1/instances?zone=rack-2 at alpha soon lists
      | node | id    |
      | beta | web-2 |
    And GET /v1/nodes?zone=rack-1 at beta soon lists
      | name  | zone   |
      | alpha | rack-1 |

  Scenario: A search shows on request what is held back, and why
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    And I GET /v1/instances?service=web at alpha
    Then the answer lists nothing
    When I GET /v1/instances?service=web&status=any at alpha
    Then the answer lists
      | node | id    | status  | held_back.reason | held_back.detail |
      | beta | web-1 | passing | node_left        | ~beta            |
    When I GET /v1/services/web at alpha
    Then the answer is 200 with
      | /counts/total     | 1 |
      | /counts/held_back | 1 |

  Scenario: Nodes are listed by their state
    Given a cluster of alpha and beta
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  | state | addresses.0 | gossip       |
      | alpha | alive | {alpha}     | {alpha}:8746 |
      | beta  | alive | {beta}      | {beta}:8746  |
    When beta is stopped by SIGTERM
    And I GET /v1/nodes?state=alive at alpha
    Then the answer lists
      | name  | state |
      | alpha | alive |
    When I GET /v1/nodes?state=left at alpha
    Then the answer lists
      | name | state | since     | reason    |
      | beta | left  | (present) | (present) |

  Scenario: One node is shown, and one that nobody knows is not there
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET /v1/nodes/alpha at alpha
    Then the answer is 200 with
      | /name       | alpha     |
      | /state      | alive     |
      | /addresses  | ["{alpha}"] |
      | /generation | 1         |
      | /version    | (present) |
      | /since      | (present) |
      | /instances  | 1         |
    When I GET /v1/nodes/omega at alpha
    Then the answer is the problem /problems/no-such-node with status 404

  Scenario: An agent tells of itself
    Given an agent alpha
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /name             | alpha            |
      | /cluster          | {cluster}        |
      | /gossip           | {alpha}:8746     |
      | /http             | {alpha}:8780     |
      | /dns              | {alpha}:8753     |
      | /domain           | tidings.internal |
      | /generation       | 1                |
      | /ready            | true             |
      | /version          | (present)        |
      | /name_conflict    | (absent)         |
      | /members/alive    | 1                |
      | /limits/tags      | 32               |

  Scenario: The API tells what is there
    Given an agent alpha
    When I GET /v1 at alpha
    Then the answer is 200 with
      | /links/0/href | /v1 |
    When I HEAD /v1/services at alpha
    Then the answer is 200
    And its body is empty
    And its header cache-control is no-cache

  Scenario: Those who run an agent ask whether it is well
    Given an agent alpha
    When I GET /health/live at alpha
    Then the answer is 200
    When I GET /health/ready at alpha
    Then the answer is 200

  Scenario: The instances of a node, whatever their status
    Given a cluster of alpha and beta
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "1h"}]}
      """
    And alpha registers
      | id   | service | port |
      | db-1 | db      | 5432 |
    Then GET /v1/nodes/alpha/instances at beta soon lists
      | id    | status   |
      | db-1  | passing  |
      | web-1 | critical |
    When I GET /v1/nodes/alpha/instances/web-1 at beta
    Then the answer is 200 with
      | /node             | alpha    |
      | /service          | web      |
      | /held_back/reason | critical |
    When I GET /v1/nodes/alpha/instances/web-2 at beta
    Then the answer is the problem /problems/no-such-instance with status 404
    When I GET /v1/nodes/nobody/instances at beta
    Then the answer is the problem /problems/no-such-node with status 404
