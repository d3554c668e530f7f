Feature: Checks decide what is handed out
  The agent beside a service checks it, and every agent knows what it found: what is critical is not handed out anywhere.

  Scenario: What a check by HTTP finds decides at every agent
    Given a cluster of alpha and beta
    And a service beside alpha that answers 200
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000,
       "checks": [{"id": "alive", "http": "http://{alpha}:9000/health", "interval": "200ms", "timeout": "1s"}]}
      """
    Then the answer is 201
    And web-1 of alpha is soon passing at beta
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |
    When the service beside alpha answers 503
    Then web-1 of alpha is soon critical at beta
    And web.service.tidings.internal A at beta is soon NODATA
    When I GET /v1/instances?service=web&status=any at beta
    Then the answer is 200 with
      | /items/0/held_back/reason | critical |
      | /items/0/held_back/detail | ~503     |
    When the service beside alpha answers 200
    Then web-1 of alpha is soon passing at beta
    And web.service.tidings.internal A at beta soon gives
      | {alpha} |

  Scenario Outline: A check by HTTP is critical when the service <trouble>
    Given an agent alpha
    And a service beside alpha that answers 200
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000,
       "checks": [{"id": "alive", "http": "http://{alpha}:9000/", "interval": "200ms", "timeout": "300ms"}]}
      """
    Then web-1 of alpha is soon passing at alpha
    When the service beside alpha <trouble>
    Then web-1 of alpha is soon critical at alpha

    Examples:
      | trouble     |
      | hangs       |
      | is gone     |
      | answers 302 |
      | answers 404 |

  Scenario: A check by TCP asks whether somebody listens
    Given an agent alpha
    And a service beside alpha that answers 500
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "port", "tcp": "{alpha}:9000", "interval": "200ms"}]}
      """
    Then web-1 of alpha is soon passing at alpha
    When the service beside alpha is gone
    Then web-1 of alpha is soon critical at alpha

  Scenario: A check with a ttl waits for heartbeats
    Given a cluster of alpha and beta
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "2s"}]}
      """
    And I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When alpha's instance web-1 is told to be passing
    Then web-1 of alpha is soon passing at beta
    And web-1 of alpha is soon critical at beta
    When alpha's instance web-1 is told to be warning
    Then web-1 of alpha is soon warning at beta
    When I GET /v1/checks?status=warning&service=web&node=alpha at beta
    Then the answer lists
      | node  | service | instance | id   | status  | reason        |
      | alpha | web     | web-1    | beat | warning | it is warning |

  Scenario: The worst of several checks decides
    Given an agent alpha
    And a service beside alpha that answers 200
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [
        {"id": "alive", "http": "http://{alpha}:9000/", "interval": "200ms"},
        {"id": "beat", "ttl": "1h"}]}
      """
    Then GET /v1/checks at alpha soon lists
      | id    | status   |
      | alive | passing  |
      | beat  | critical |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When alpha's instance web-1 is told to be passing
    Then web-1 of alpha is soon passing at alpha
    When I GET /v1/agent/instances/web-1/status at alpha
    Then the answer is 200 with
      | /status          | passing   |
      | /maintenance     | (absent)  |
      | /checks/0/id     | alive     |
      | /checks/1/id     | beat      |
      | /since           | (present) |

  Scenario: What GET gives of a registration with checks can be PUT back and changes nothing
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "deregister_after": "1h", "checks": [
        {"id": "alive", "http": "https://{alpha}:9000/", "method": "head", "headers": {"x-a": "b"}, "statuses": [204, "300-399"],
         "redirects": 2, "ca_file": "/etc/ca.pem", "verify": false, "interval": "1m", "timeout": "2s", "rise": 2, "fall": 3},
        {"id": "port", "tcp": "{alpha}:9000", "interval": "1m", "initial": "warning"},
        {"id": "beat", "ttl": "1h", "initial": "passing"}]}
      """
    And I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /checks/0/method   | HEAD    |
      | /checks/0/timeout  | 2s      |
      | /checks/1/initial  | warning |
      | /deregister_after  | 1h      |
    When I PUT that answer to /v1/agent/instances/web-1 at alpha
    Then the answer is 200

  Scenario: What has been critical for long is deregistered
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "deregister_after": "1s", "checks": [{"id": "beat", "ttl": "200ms"}]}
      """
    Then the answer is 201
    And GET /v1/agent/instances/web-1 at alpha is soon 404

  Scenario: After a restart of the agent an instance has its last status
    Given a cluster of alpha and beta
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "1h"}]}
      """
    And alpha's instance web-1 is told to be passing
    Then web-1 of alpha is soon passing at beta
    When alpha is killed
    And alpha starts again
    Then web-1 of alpha is soon passing at alpha
    And GET /v1/checks at alpha soon lists
      | id   | status  |
      | beat | passing |

  Scenario: A restart of the agent does not prolong what was left for a heartbeat to come
    Given agent alpha with
      | --on-term | restart |
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "2s"}]}
      """
    And alpha's instance web-1 is told to be passing
    Then web-1 of alpha is soon passing at alpha
    And web-1 of alpha is soon critical though alpha is restarted over and over

  Scenario Outline: A heartbeat is refused when <trouble>
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "1h"}, {"id": "port", "tcp": "{alpha}:9000"}]}
      """
    And I PUT <path> at alpha
      """
      <body>
      """
    Then the answer is the problem <problem> with status <status>

    Examples:
      | trouble                | path                                             | body                  | problem                      | status |
      | there is no instance   | /v1/agent/instances/web-2/checks/beat/status     | {"status": "passing"} | /problems/no-such-instance   | 404    |
      | there is no such check | /v1/agent/instances/web-1/checks/other/status    | {"status": "passing"} | /problems/no-such-check      | 404    |
      | it is not awaited      | /v1/agent/instances/web-1/checks/port/status     | {"status": "passing"} | /problems/no-heartbeats      | 409    |
      | it says nothing        | /v1/agent/instances/web-1/checks/beat/status     | {"status": "fine"}    | /problems/invalid-definition | 422    |

  Scenario: From the command line
    Given an agent alpha
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [{"id": "beat", "ttl": "1h"}]}
      """
    And I run `tidings heartbeat web-1 beat --status warning` beside alpha
    Then it exits with 0
    And web-1 of alpha is soon warning at alpha
    When I run `tidings checks --status warning --service web` beside alpha
    Then it exits with 0
    And it prints
      | web-1 |
      | beat  |
    When I run `tidings checks --status critical` beside alpha
    Then it exits with 1
    When I run `tidings heartbeat web-1 other` beside alpha
    Then it exits with 1
