Feature: Services and checks from files
  What is known when a host is set up is written into its files: instances as [[service]] tables, checks of the node itself as [[check]] tables.

  Scenario: A file and a folder define services
    Given alpha's configuration file
      """
      service_dir = "{folder}/services"

      [[service]]
      service = "web"
      port = 8080
      """
    And a file services/db.toml
      """
      [[service]]
      id = "db-1"
      service = "db"
      port = 5432

      [[service]]
      id = "db-2"
      service = "db"
      port = 5433
      """
    And a file services/notes.txt
      """
      No service file: its name does not end in .toml
      """
    And an agent alpha
    When I GET /v1/agent/instances at alpha
    Then the answer lists
      | id   | service | port |
      | db-1 | db      | 5432 |
      | db-2 | db      | 5433 |
      | web  | web     | 8080 |
    When I look up db.service.tidings.internal SRV at alpha
    Then the lookup gives 2 records

  Scenario: A file says all that a registration says
    Given alpha's configuration file
      """
      [[service]]
      id = "web-1"
      service = "web"
      addresses = ["10.0.0.5"]
      port = 8080
      protocol = "tcp"
      tags = ["v1"]
      weight = 20
      deregister_after = "1h"

      [service.meta]
      git = "a1b2c3"

      [[service.checks]]
      id = "alive"
      http = "https://{alpha}:9000/health"
      method = "HEAD"
      headers = { Authorization = "secret" }
      statuses = ["200-299", 404]
      redirects = 1
      ca_file = "/etc/ssl/ca.pem"
      verify = true
      interval = "1h"
      timeout = "1s"
      rise = 2
      fall = 3
      initial = "passing"

      [[service.checks]]
      id = "port"
      tcp = "{alpha}:9000"

      [[service.checks]]
      id = "beat"
      ttl = "15s"
      """
    And an agent alpha
    When I GET /v1/agent/instances/web-1 at alpha
    Then the answer is 200 with
      | /addresses/0                    | 10.0.0.5        |
      | /protocol                       | tcp             |
      | /tags/0                         | v1              |
      | /meta/git                       | a1b2c3          |
      | /weight                         | 20              |
      | /deregister_after               | 1h              |
      | /checks/0/method                | HEAD            |
      | /checks/0/headers/Authorization | secret          |
      | /checks/0/statuses/1            | 404-404         |
      | /checks/0/ca_file               | /etc/ssl/ca.pem |
      | /checks/0/fall                  | 3               |
      | /checks/1/tcp                   | {alpha}:9000    |
      | /checks/2/ttl                   | 15s             |

  Scenario: SIGHUP has what the files say now take effect
    Given alpha's configuration file
      """
      service_dir = "{folder}/services"
      [[service]]
      service = "web"
      port = 8080
      """
    And a file services/db.toml
      """
      [[service]]
      service = "db"
      port = 5432
      """
    And a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | api-1 | api     | 80   |
    When the file services/db.toml is removed
    And the file services/cache.toml becomes
      """
      [[service]]
      service = "cache"
      port = 11211
      """
    And alpha's configuration file becomes
      """
      service_dir = "{folder}/services"
      [[service]]
      service = "web"
      port = 8081
      """
    And alpha receives SIGHUP
    Then GET /v1/instances at beta soon lists
      | id    | port  |
      | api-1 | 80    |
      | cache | 11211 |
      | web   | 8081  |
    And alpha's log soon says "the configuration is reloaded"

  Scenario Outline: A reload that finds <flaw> changes nothing and says where it is
    Given alpha's configuration file
      """
      service_dir = "{folder}/services"
      [[service]]
      service = "web"
      port = 8080
      """
    And a file services/db.toml
      """
      [[service]]
      service = "db"
      port = 5432
      """
    And an agent alpha
    When the file services/db.toml becomes
      """
      [[service]]
      service = "cache"
      <written>
      """
    And alpha's configuration file becomes
      """
      service_dir = "{folder}/services"
      """
    And alpha receives SIGHUP
    Then alpha's log soon says "services/db.toml, line 3: <said>"
    And alpha's log soon says "nothing was changed"
    When I GET /v1/agent/instances at alpha
    Then the answer lists
      | id  | port |
      | db  | 5432 |
      | web | 8080 |

    Examples:
      | flaw             | written                  | said                    |
      | a wrong value    | port = 0                 | service: port is 0      |
      | a misspelt field | prot = 80                | service: prot           |
      | no TOML          | port = = 80              |                         |

  Scenario Outline: An agent does not start with <flaw> in a service file
    Given a file services/db.toml
      """
      [[service]]
      service = "db"
      port = 5432
      <written>
      """
    When alpha is started in vain with
      | --service-dir | {folder}/services |
    Then it exits with 2
    And it complains "services/db.toml, line <line>: <said>"

    Examples:
      | flaw                    | written                         | line | said                              |
      | a field that is unknown | colour = "red"                  | 4    | service: colour is not a field    |
      | a setting of the agent  | [dns]                           | 4    | unknown key dns                   |
      | two things in one       | [[service]]                     | 4    | service: service is missing       |

  Scenario: A folder that is not there keeps an agent from starting
    When alpha is started in vain with
      | --service-dir | {folder}/nowhere |
    Then it exits with 2
    And it complains "--service-dir: can't read the folder"

  Scenario: An id stands for one service
    Given alpha's configuration file
      """
      [[service]]
      service = "web"
      port = 8080

      [[service]]
      id = "web"
      service = "api"
      port = 8081
      """
    When alpha is started in vain
    Then it exits with 2
    And it complains "line 6: service: the id web is taken by"

  Scenario: What a file defines is changed there, and not by the API
    Given alpha's configuration file
      """
      [[service]]
      service = "web"
      port = 8080

      [[service.checks]]
      id = "beat"
      ttl = "1h"
      """
    And an agent alpha
    When I PUT /v1/agent/instances/web at alpha
      """
      {"service": "web", "port": 8081}
      """
    Then the answer is the problem /problems/defined-by-file with status 409
    And the answer is 409 with
      | /detail | ~alpha.toml |
    When I DELETE /v1/agent/instances/web at alpha
    Then the answer is the problem /problems/defined-by-file with status 409
    When I PUT /v1/agent/instances/web/checks/beat/status at alpha
      """
      {"status": "passing"}
      """
    Then the answer is 204
    And web.service.tidings.internal A at alpha soon gives
      | {alpha} |
    When I PUT /v1/agent/instances/web/maintenance at alpha
      """
      {"reason": "new disk"}
      """
    Then the answer is 204
    And web.service.tidings.internal A at alpha is soon NODATA

  Scenario: A file takes over what came by the API
    Given alpha's configuration file
      """
      zone = "rack-1"
      """
    And an agent alpha
    And alpha registers
      | id  | service | port |
      | web | web     | 8080 |
    When alpha's configuration file becomes
      """
      [[service]]
      service = "web"
      port = 8081
      """
    And alpha receives SIGHUP
    Then GET /v1/agent/instances at alpha soon lists
      | id  | port |
      | web | 8081 |
    When I DELETE /v1/agent/instances/web at alpha
    Then the answer is the problem /problems/defined-by-file with status 409

  Scenario: What vanished from the files while the agent was away is gone, and what came by the API is not
    Given alpha's configuration file
      """
      [[service]]
      service = "web"
      port = 8080

      [[service]]
      service = "db"
      port = 5432
      """
    And an agent alpha
    And alpha registers
      | id    | service | port |
      | api-1 | api     | 80   |
    When alpha is killed
    And alpha's configuration file becomes
      """
      [[service]]
      service = "db"
      port = 5432
      """
    And alpha starts again
    And I GET /v1/agent/instances at alpha
    Then the answer lists
      | id    |
      | api-1 |
      | db    |

  Scenario: A reload takes over whom to join and what to log; the rest waits for the next start
    Given alpha's configuration file
      """
      log = "info"
      """
    And an agent alpha
    And an agent beta
    When alpha's configuration file becomes
      """
      join = ["{beta}"]
      log = "debug"
      zone = "rack-2"
      """
    And alpha receives SIGHUP
    Then alpha soon sees beta as alive
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 8080, "checks": [{"id": "port", "tcp": "{alpha}:9000"}]}
      """
    Then alpha's log soon says "DEBUG"
    And alpha's log soon says "takes effect at the next start"
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /zone | (absent) |

  Scenario: A critical check of a node holds all its instances back, everywhere
    Given alpha's configuration file
      """
      [[check]]
      id = "disk"
      ttl = "1h"
      """
    And a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then GET /v1/instances at beta soon lists
      | node  | id    |
      | alpha | web-1 |
      | alpha | web-2 |
      | beta  | web-1 |
    When I PUT /v1/agent/checks/disk/status at alpha
      """
      {"status": "critical", "output": "the disk is full"}
      """
    Then the answer is 204
    And GET /v1/instances at beta soon lists
      | node | id    |
      | beta | web-1 |
    When I GET /v1/instances?node=alpha&status=any at beta
    Then the answer is 200 with
      | /items/0/status           | passing           |
      | /items/0/held_back/reason | node_critical     |
      | /items/0/held_back/detail | ~the disk is full |
    When I GET /v1/nodes/alpha at beta
    Then the answer is 200 with
      | /state           | alive            |
      | /checks/0/id     | disk             |
      | /checks/0/status | critical         |
      | /checks/0/reason | the disk is full |
    When I GET /v1/checks at beta
    Then the answer lists
      | node  | service | instance | id   | status   |
      | alpha | null    | null     | disk | critical |
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /checks/0/id     | disk     |
      | /checks/0/status | critical |
      | /maintenance     | (absent) |
    When I GET /v1/agent/checks/disk at alpha
    Then the answer is 200 with
      | /status | critical         |
      | /output | the disk is full |
    When I GET /v1/agent/checks/other at alpha
    Then the answer is the problem /problems/no-such-check with status 404
    When I run `tidings members` beside beta
    Then it prints
      | alpha | its check disk is critical: the disk is full |
    When alpha is killed
    And alpha starts again
    And I GET /v1/instances?node=alpha at alpha
    Then the answer lists nothing
    When I run `tidings heartbeat disk` beside alpha
    Then it exits with 0
    And GET /v1/instances?node=alpha at beta soon lists
      | id    |
      | web-1 |
      | web-2 |

  Scenario: Checks of a node ask like those of an instance
    Given a service beside alpha that answers 200
    And alpha's configuration file
      """
      [[check]]
      id = "alive"
      http = "http://{alpha}:9000/health"
      method = "GET"
      headers = { Authorization = "secret" }
      statuses = [200]
      redirects = 0
      verify = false
      interval = "200ms"
      timeout = "150ms"
      rise = 1
      fall = 2
      initial = "passing"

      [[check]]
      id = "port"
      tcp = "{alpha}:9000"
      interval = "1h"
      """
    And an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at alpha soon gives
      | {alpha} |
    When the service beside alpha answers 500
    Then web.service.tidings.internal A at alpha is soon NODATA
    When the service beside alpha answers 200
    Then web.service.tidings.internal A at alpha soon gives
      | {alpha} |
    When the service beside alpha answers 500
    Then web.service.tidings.internal A at alpha is soon NODATA
    When alpha's configuration file becomes
      """
      zone = "rack-1"
      """
    And alpha receives SIGHUP
    Then web.service.tidings.internal A at alpha soon gives
      | {alpha} |

  Scenario Outline: A heartbeat of a node is refused when <trouble>
    Given alpha's configuration file
      """
      [[check]]
      id = "port"
      tcp = "{alpha}:9000"
      """
    And an agent alpha
    When I PUT <path> at alpha
      """
      {"status": "passing"}
      """
    Then the answer is the problem <problem> with status <status>

    Examples:
      | trouble                | path                          | problem                 | status |
      | there is no such check | /v1/agent/checks/other/status | /problems/no-such-check | 404    |
      | it is not awaited      | /v1/agent/checks/port/status  | /problems/no-heartbeats | 409    |

  Scenario: A check of a node with a flaw is refused with its line
    Given alpha's configuration file
      """
      [[check]]
      id = "port"
      tcp = "{alpha}"
      ca_file = "/etc/ssl/ca.pem"
      """
    When alpha is started in vain
    Then it exits with 2
    And it complains "line 3: check: tcp"
    And it complains "line 4: check: ca_file"

  Scenario: A file is checked before an agent meets it
    Given a file good.toml
      """
      name = "db-1"
      service_dir = "{folder}/services"

      [[check]]
      id = "disk"
      ttl = "2m"
      """
    And a file services/web.toml
      """
      [[service]]
      service = "web"
      port = 8080
      """
    When I run `tidings config check good.toml`
    Then it exits with 0
    And it prints
      | 1 service | 1 check |
    Given a file bad.toml
      """
      nmae = "db-1"

      [[service]]
      service = "web"
      """
    When I run `tidings config check bad.toml`
    Then it exits with 1
    And it complains "bad.toml, line 1: unknown key nmae; did you mean name?"
    When I run `tidings config check nowhere.toml`
    Then it exits with 1
    And it complains "can't read nowhere.toml"

  Scenario: What an agent would run with is shown with where each value comes from
    Given a file good.toml
      """
      zone = "rack-1"
      [[service]]
      service = "web"
      port = 8080
      """
    When I run `tidings config show --config good.toml --name db-1`
    Then it exits with 0
    And it prints
      | name        | db-1           | --name            |
      | zone        | rack-1         | good.toml, line 1 |
      | dns.listen  | 127.0.0.1:8753 | default           |
      | service web | port 8080      | good.toml, line 2 |
    When I run `tidings config show --config good.toml --name db-1 --json`
    Then it prints JSON with
      | /items/0/setting | name   |
      | /items/0/value   | db-1   |
      | /items/0/from    | --name |
    When I run `tidings config show --log inof`
    Then it exits with 2
    And it complains "--log"
