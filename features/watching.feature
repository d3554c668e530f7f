Feature: Watching for changes
  Who wants to know when something changes need not ask again and again. A read tells with its ETag what it shows, waits for that to change when it
  is asked to, and is not disturbed by anything else. Who wants to know of each change follows the events.

  Scenario: A read that shows the same is not sent again
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET /v1/instances?service=web at alpha
    Then its header Vary is Prefer
    And its header Cache-Control is no-cache
    When I note its header ETag
    And I GET /v1/instances?service=web at alpha with the header If-None-Match: {noted}
    Then the answer is 304
    And its body is empty
    And its header ETag stays the same

  Scenario Outline: The ETag of <path> changes when what it shows does, and only then
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I GET <path> at alpha
    And I note its header ETag
    When alpha registers
      | id        | service | port |
      | <another> | shop    | 8080 |
    And I GET <path> at alpha
    Then its header ETag <then>
    When alpha registers
      | id    | service | port | tags   |
      | web-1 | web     | 8080 | ["v2"] |
      | web-2 | web     | 8081 |        |
    And I GET <path> at alpha
    Then its header ETag differs

    Examples:
      | path                          | another | then           |
      | /v1/instances?service=web     | shop-1  | stays the same |
      | /v1/services/web              | shop-1  | stays the same |
      | /v1/agent/instances/web-1     | shop-1  | stays the same |
      | /v1/services                  | shop-1  | differs        |
      | /v1/nodes/alpha               | shop-1  | differs        |
      | /v1/agent/instances           | shop-1  | differs        |

  Scenario: A read waits for a change of what it shows, wherever that comes from
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And GET /v1/instances?service=web at alpha soon lists
      | node | id    |
      | beta | web-1 |
    When I note its header ETag
    And I begin to GET /v1/instances?service=web at alpha with the headers If-None-Match: {noted} and Prefer: wait=300
    Then that request is not answered yet
    When alpha registers
      | id   | service | port |
      | db-1 | db      | 5432 |
    Then that request is not answered yet
    When beta registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    Then that request is answered
    And the answer lists
      | node | id    |
      | beta | web-1 |
      | beta | web-2 |
    And its header Preference-Applied is wait=300
    And its header ETag differs

  Scenario: A service that is not there yet can be waited for
    Given an agent alpha
    When I GET /v1/instances?service=web at alpha
    Then the answer lists nothing
    When I note its header ETag
    And I begin to GET /v1/instances?service=web at alpha with the headers If-None-Match: {noted} and Prefer: wait=300
    Then that request is not answered yet
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then that request is answered
    And the answer lists
      | id    |
      | web-1 |

  Scenario: A node that goes is a change of what its services show
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And GET /v1/instances?service=web at alpha soon lists
      | id    |
      | web-1 |
    When I note its header ETag
    And I begin to GET /v1/instances?service=web at alpha with the headers If-None-Match: {noted} and Prefer: wait=300
    And beta is stopped by SIGTERM
    Then that request is answered
    And the answer lists nothing

  Scenario: A wait that is over is answered with what is known already
    Given an agent alpha
    When I GET /v1/services at alpha
    And I note its header ETag
    And I GET /v1/services at alpha with the headers If-None-Match: {noted} and Prefer: wait=1
    Then the answer is 304
    And its header Preference-Applied is wait=1
    And its header ETag stays the same

  Scenario: A wait is 5 minutes at most
    Given an agent alpha
    When I GET /v1/services at alpha
    And I note its header ETag
    And I begin to GET /v1/services at alpha with the headers If-None-Match: {noted} and Prefer: wait=86400
    Then that request is not answered yet
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then that request is answered
    And its header Preference-Applied is wait=300

  Scenario: Without an ETag there is nothing to wait for
    Given an agent alpha
    When I GET /v1/services at alpha with the header Prefer: wait=300
    Then the answer is 200
    And it has no header Preference-Applied

  Scenario: An agent that ends keeps nobody waiting
    Given an agent alpha
    When I GET /v1/services at alpha
    And I note its header ETag
    And I begin to GET /v1/services at alpha with the headers If-None-Match: {noted} and Prefer: wait=300
    And I follow /v1/events at alpha
    Then the next event is reset
    And that request is not answered yet
    When alpha is stopped by SIGTERM
    Then that request is answered

  Scenario: A thousand clients wait, and one change answers them all
    Given an agent alpha
    And 1024 clients wait for a change of /v1/instances?service=web at alpha
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then all of them are answered with 1 items

  Scenario: Whoever finds no place to wait is answered at once
    Given an agent alpha
    And 1024 clients wait for a change of /v1/instances?service=web at alpha
    When I GET /v1/services at alpha
    And I note its header ETag
    And I GET /v1/services at alpha with the headers If-None-Match: {noted} and Prefer: wait=300
    Then the answer is 304
    And it has no header Preference-Applied

  Scenario: Events begin with everything and go on with each change
    Given a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I follow /v1/events at alpha
    Then the next event is reset with
      | /ready               | true      |
      | /nodes/1/name        | (present) |
      | /nodes/2             | (absent)  |
      | /instances/0/id      | web-1     |
      | /instances/0/service | web       |
      | /instances/1         | (absent)  |
    When beta registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    Then the next event is instance with
      | /node      | beta     |
      | /id        | web-2    |
      | /port      | 8081     |
      | /held_back | (absent) |
    When I DELETE /v1/agent/instances/web-1 at alpha
    Then the next event is instance_gone with
      | /node    | alpha |
      | /id      | web-1 |
      | /service | web   |
    When beta is stopped by SIGTERM
    Then the next event is node with
      | /name  | beta |
      | /state | left |
    And the next event is instance with
      | /id               | web-2     |
      | /held_back/reason | node_left |

  Scenario: Events can be those of one service
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | db-1  | db      | 5432 |
    When I follow /v1/events?service=web at alpha
    Then the next event is reset with
      | /nodes          | (absent) |
      | /instances/0/id | web-1    |
      | /instances/1    | (absent) |
    When alpha registers
      | id    | service | port |
      | db-1  | db      | 5433 |
      | web-1 | web     | 8081 |
    Then the next event is instance with
      | /id | web-1 |
    When alpha registers
      | id    | service | port |
      | web-1 | shop    | 8081 |
    Then the next event is instance_gone with
      | /id      | web-1 |
      | /service | web   |

  Scenario: Events can be those of one kind
    Given an agent alpha
    When I follow /v1/events?kind=node at alpha
    Then the next event is reset with
      | /nodes/0/name | alpha    |
      | /instances    | (absent) |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And agent beta joins through alpha
    Then the next event is node with
      | /name  | beta  |
      | /state | alive |

  Scenario: An agent that learns what its cluster knows says so
    Given agent beta starts before its seed alpha
    Then beta goes on
    When I follow /v1/events?kind=ready at beta
    Then the next event is reset with
      | /ready | false |
    Given an agent alpha
    Then the next event is ready with
      | /ready | true |

  Scenario: Who comes back goes on where it was
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I follow /v1/events at alpha
    Then the next event is reset
    When I note the id of that event
    And I follow no more
    And alpha registers
      | id    | service | port |
      | web-2 | web     | 8081 |
      | web-3 | web     | 8082 |
    And I follow /v1/events at alpha with the header Last-Event-ID: {noted}
    Then the next event is instance with
      | /id | web-2 |
    And the next event is instance with
      | /id | web-3 |

  Scenario: Who comes back after the agent started again begins anew
    Given an agent alpha
    When I follow /v1/events at alpha
    Then the next event is reset
    When I note the id of that event
    And alpha is killed
    And alpha starts again
    And I follow /v1/events at alpha with the header Last-Event-ID: {noted}
    Then the next event is reset

  Scenario: A stream in which nothing happens shows every 15 seconds that it lives
    Given an agent alpha
    When I follow /v1/events?service=web at alpha
    Then the next event is reset
    And a heartbeat comes

  Scenario: A client that is too slow is cut off, is told, and harms nobody
    Given an agent alpha
    And I follow /v1/events?kind=node at alpha
    Then the next event is reset
    When a client reads /v1/events at alpha slowly while 2400 large definitions are registered
    Then the last event that it took is cut_off with
      | /detail | ~more than 2048 changes |
    When agent beta joins through alpha
    Then the next event is node with
      | /name | beta |

  Scenario: So many clients follow events and no more
    Given an agent alpha
    And 64 clients follow /v1/events at alpha
    When I GET /v1/events at alpha
    Then the answer is the problem /problems/too-many-followers with status 503
      | /detail | ~64 clients |
    And it has the header Retry-After
    When one of them goes away
    Then another client soon follows /v1/events at alpha
