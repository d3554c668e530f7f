Feature: Bad input is refused with a reason
  Whoever makes a mistake is told which one, where it is and what is allowed. Errors are problem details (RFC 9457). Nothing is done by halves.

  Background:
    Given an agent alpha

  Scenario Outline: A definition with <flaw> is refused
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      <body>
      """
    Then the answer is the problem /problems/invalid-definition with status 422
      | /errors/0/pointer | <pointer> |
      | /errors/0/detail  | ~<hint>   |
      | /errors/1         | (absent)  |
    When I GET /v1/agent/instances at alpha
    Then the answer lists nothing
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN

    Examples:
      | flaw                      | body                                                         | pointer      | hint        |
      | a misspelt field          | {"service": "web", "port": 80, "tag": ["v1"]}                | /tag         | "tags"      |
      | an unknown field          | {"service": "web", "port": 80, "colour": "red"}              | /colour      | fields are  |
      | no service                | {"port": 80}                                                 | /service     | missing     |
      | no port                   | {"service": "web"}                                           | /port        | missing     |
      | a dot in the service      | {"service": "web.api", "port": 80}                           | /service     | RFC 1123    |
      | an underscore             | {"service": "_web", "port": 80}                              | /service     | RFC 1123    |
      | an empty service          | {"service": "", "port": 80}                                  | /service     | RFC 1123    |
      | a number for the service  | {"service": 7, "port": 80}                                   | /service     | string      |
      | port 0                    | {"service": "web", "port": 0}                                | /port        | 1 to 65535  |
      | port 65536                | {"service": "web", "port": 65536}                            | /port        | 1 to 65535  |
      | a negative port           | {"service": "web", "port": -1}                               | /port        | 1 to 65535  |
      | a port in a string        | {"service": "web", "port": "80"}                             | /port        | 1 to 65535  |
      | no address                | {"service": "web", "port": 80, "addresses": ["10.0.0"]}      | /addresses/0 | IPv4        |
      | a name for an address     | {"service": "web", "port": 80, "addresses": ["host"]}        | /addresses/0 | IPv4        |
      | an unspecified address    | {"service": "web", "port": 80, "addresses": ["0.0.0.0"]}     | /addresses/0 | connected   |
      | an address twice          | {"service": "web", "port": 80, "addresses": ["::1", "::1"]}  | /addresses/1 | already     |
      | five addresses            | {"service": "web", "port": 80, "addresses": ["::1", "::2", "::3", "::4", "::5"]} | /addresses | at most 4 |
      | an unknown protocol       | {"service": "web", "port": 80, "protocol": "sctp"}           | /protocol    | "udp"       |
      | a space in a tag          | {"service": "web", "port": 80, "tags": ["v1", "a b"]}        | /tags/1      | a tag       |
      | a tag twice               | {"service": "web", "port": 80, "tags": ["v1", "V1"]}         | /tags/1      | already     |
      | tags that are no list     | {"service": "web", "port": 80, "tags": "v1"}                 | /tags        | list        |
      | a number in the metadata  | {"service": "web", "port": 80, "meta": {"a/b": 7}}           | /meta/a~1b   | string      |
      | weight 0                  | {"service": "web", "port": 80, "weight": 0}                  | /weight      | 1 to 65535  |
      | another id than the path  | {"id": "web-2", "service": "web", "port": 80}                | /id          | web-1       |
      | a field twice             | {"service": "web", "port": 80, "port": 81}                   | /port        | twice       |
      | a duration in words       | {"service": "web", "port": 80, "deregister_after": "1 minute"} | /deregister_after | "10s" |
      | a duration turned round   | {"service": "web", "port": 80, "deregister_after": "30s 1m"} | /deregister_after | "10s" |
      | a target with a space     | {"service": "web", "port": 80, "checks": [{"id": "a", "tcp": "a b:80"}]} | /checks/0/tcp | HOST:PORT |
      | a user in a URL           | {"service": "web", "port": 80, "checks": [{"id": "a", "http": "http://u:p@host/"}]} | /checks/0/http | no user |
      | a check below 100ms       | {"service": "web", "port": 80, "checks": [{"id": "a", "ttl": "99ms"}]} | /checks/0/ttl | 100ms |
      | a list for the whole      | [1, 2]                                                       | ""           | an object   |

  Scenario: Too many tags are refused
    When I PUT /v1/agent/instances/web-1 at alpha with 33 tags
    Then the answer is the problem /problems/invalid-definition with status 422
      | /errors/0/pointer | /tags       |
      | /errors/0/detail  | ~at most 32 |
    When I PUT /v1/agent/instances/web-1 at alpha with 32 tags
    Then the answer is 201

  Scenario: All flaws are told at once
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "no good", "port": 0, "addresses": ["x"]}
      """
    Then the answer is the problem /problems/invalid-definition with status 422
      | /errors/0/pointer | /service     |
      | /errors/1/pointer | /port        |
      | /errors/2/pointer | /addresses/0 |

  Scenario Outline: A flawed definition leaves the earlier one as it was
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": <port>}
      """
    Then the answer is the problem /problems/invalid-definition with status 422
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /port | 8080 |

    Examples:
      | port  |
      | 0     |
      | 70000 |

  Scenario Outline: A body that is no JSON is refused
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      <body>
      """
    Then the answer is the problem /problems/malformed-body with status 400
    When I GET /v1/agent/instances at alpha
    Then the answer lists nothing

    Examples:
      | body                           |
      | service=web                    |
      | {"service": "web", "port": 80  |
      | {"service": "web", "port": 80} {} |

  Scenario: A body that is not declared as JSON is refused
    When I PUT /v1/agent/instances/web-1 at alpha as text/plain
      """
      {"service": "web", "port": 80}
      """
    Then the answer is the problem /problems/unsupported-media-type with status 415
      | /detail | ~application/json |

  Scenario: A body that is too large is refused
    When I PUT /v1/agent/instances/web-1 at alpha with a body of 100000 octets
    Then the answer is the problem /problems/body-too-large with status 413

  Scenario Outline: A method that a path does not have is refused
    When I <method> <path> at alpha
    Then the answer is the problem /problems/method-not-allowed with status 405
    And it has the header Allow

    # The tables of methods stand in the documentation; these are examples.
    Examples:
      | method | path        |
      | POST   | /v1/agent   |
      | PATCH  | /v1/nodes   |
      | DELETE | /v1         |

  Scenario: A path that leads nowhere is refused
    When I GET /v1/nothing at alpha
    Then the answer is the problem /problems/no-such-route with status 404

  Scenario Outline: A query parameter that is <flaw> is refused
    When I GET <path> at alpha
    Then the answer is the problem /problems/invalid-query with status 400
      | /errors/0/parameter | <parameter> |
      | /errors/0/detail    | ~<hint>     |

    Examples:
      | flaw              | path                              | parameter | hint          |
      | unknown           | /v1/instances?servcie=web         | servcie   | service       |
      | unknown           | /v1/agent?verbose=1               | verbose   | none          |
      | given twice       | /v1/instances?service=a&service=b | service   | once          |
      | no pair           | /v1/instances?meta=git            | meta      | key:value     |
      | no status         | /v1/instances?status=healthy      | status    | passing       |
      | no state          | /v1/nodes?state=dead              | state     | down          |
      | no service's name | /v1/instances?service=a_b         | service   | RFC 1123      |
      | no start of one   | /v1/services?prefix=a_b           | prefix    | letters       |
      | no number         | /v1/nodes?limit=all               | limit     | 1 to 10000    |
      | too large         | /v1/instances?limit=10001         | limit     | 1 to 10000    |
      | no cursor         | /v1/services?cursor=a_b           | cursor    | next          |
      | too small         | /v1/instances?pick=0              | pick      | 1 to 10000    |
      | one too many      | /v1/instances?pick=1&limit=1      | pick      | leave out     |
      | no kind           | /v1/events?kind=service           | kind      | instance      |
      | one too many      | /v1/events?service=web&kind=node  | kind      | leave out     |

  Scenario Outline: A name that can't be one is refused
    When I GET <path> at alpha
    Then the answer is the problem /problems/invalid-name with status 400
      | /detail | ~it takes 1 to 63 |

    Examples:
      | path                         |
      | /v1/services/a_b             |
      | /v1/nodes/-a                 |
      | /v1/agent/instances/%2e%2e   |

  Scenario: A body that stops in the middle is waited for only so long
    When I begin to PUT /v1/agent/instances/web-1 at alpha and stop in the middle of the body
    Then the answer is the problem /problems/slow-body with status 408
      | /detail | ~did not arrive |

  Scenario: A body that breaks off is no body
    When I begin to PUT /v1/agent/instances/web-1 at alpha and break off in the middle of the body
    Then the answer is the problem /problems/incomplete-body with status 400
      | /detail | ~broke off |
    When I GET /v1/agent/instances at alpha
    Then the answer lists nothing
