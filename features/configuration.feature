Feature: Configuring an agent
  A flag beats the environment, which beats the file, which beats the default. Mistakes keep an agent from starting, and are named with their
  place.

  Scenario: Everything can be said with flags
    Given agent alpha with
      | --name       | db-1    |
      | --zone       | rack-1  |
      | --cluster    | blue    |
      | --domain     | corp.example |
      | --dns-alt-domain | consul |
      | --dns-ttl    | 5s      |
      | --dns-service-ttl | web=30s |
      | --dns-negative-ttl | 2s |
      | --dns-prefer | zone    |
      | --dns-upstream | {nobody} |
      | --dns-rate-limit | 1000 |
      | --advertise  | {alpha} |
      | --on-term    | restart |
      | --http-name  | db-1.example |
      | --log        | debug   |
      | --log-format | json    |
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /name    | db-1         |
      | /zone    | rack-1       |
      | /cluster | blue         |
      | /domain  | corp.example |
      | /gossip  | {alpha}:8746 |
      | /http    | {alpha}:8780 |
      | /dns     | {alpha}:8753 |

  Scenario: Everything can be said in the environment
    Given alpha's environment
      | TIDINGS_NAME       | db-1                |
      | TIDINGS_ZONE       | rack-1              |
      | TIDINGS_CLUSTER    | blue                |
      | TIDINGS_DATA_DIR   | {folder}/from-env   |
      | TIDINGS_GOSSIP     | {alpha}:8746        |
      | TIDINGS_ADVERTISE  | {alpha}             |
      | TIDINGS_HTTP       | {alpha}:8780        |
      | TIDINGS_HTTP_NAME  | db-1.example,db-1   |
      | TIDINGS_DNS        | {alpha}:8753        |
      | TIDINGS_DOMAIN     | corp.example        |
      | TIDINGS_DNS_ALT_DOMAIN   | consul        |
      | TIDINGS_DNS_TTL          | 5s            |
      | TIDINGS_DNS_SERVICE_TTL  | web=30s,db=1m |
      | TIDINGS_DNS_NEGATIVE_TTL | 2s            |
      | TIDINGS_DNS_PREFER       | node          |
      | TIDINGS_DNS_UPSTREAM     | {nobody},system |
      | TIDINGS_DNS_RATE_LIMIT   | 0             |
      | TIDINGS_JOIN       | {alpha}             |
      | TIDINGS_SERVICE_DIR | {folder}           |
      | TIDINGS_ON_TERM    | leave               |
      | TIDINGS_LOG        | info                |
      | TIDINGS_LOG_FORMAT | text                |
    And an agent alpha
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /name    | db-1         |
      | /zone    | rack-1       |
      | /cluster | blue         |
      | /domain  | corp.example |

  Scenario: Everything can be said in a file
    Given alpha's configuration file
      """
      name = "db-1"
      zone = "rack-1"
      cluster = "blue"
      data_dir = "{folder}/from-file"
      join = []
      on_term = "leave"
      log = "info"
      log_format = "text"

      [gossip]
      listen = "{alpha}:8746"
      advertise = "{alpha}"

      [http]
      listen = "{alpha}:8780"
      names = ["db-1.example"]

      [dns]
      listen = "{alpha}:8753"
      domain = "corp.example"
      alt_domain = "consul"
      ttl = "5s"
      service_ttl = ["web=30s", "db=1m"]
      negative_ttl = "2s"
      prefer = "zone"
      upstream = ["{nobody}", "system"]
      rate_limit = "1000"

      [meta]
      owner = "storage"
      """
    And an agent alpha
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /name       | db-1         |
      | /zone       | rack-1       |
      | /cluster    | blue         |
      | /domain     | corp.example |
      | /meta/owner | storage      |
    When I GET /v1/nodes/db-1 at alpha
    Then the answer is 200 with
      | /meta/owner | storage |

  Scenario: The file may be named in the environment
    Given a file named.toml
      """
      zone = "rack-7"
      """
    And alpha's environment
      | TIDINGS_CONFIG | {folder}/named.toml |
    And an agent alpha
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /zone | rack-7 |

  Scenario: The environment beats the file
    Given alpha's configuration file
      """
      zone = "from-file"
      """
    And alpha's environment
      | TIDINGS_ZONE | from-env |
    And an agent alpha
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /zone | from-env |

  Scenario: A flag beats both
    Given alpha's configuration file
      """
      zone = "from-file"
      """
    And alpha's environment
      | TIDINGS_ZONE | from-env |
    And agent alpha with
      | --zone | from-flag |
    When I GET /v1/agent at alpha
    Then the answer is 200 with
      | /zone | from-flag |

  Scenario Outline: A file with <flaw> is refused with its line
    Given alpha's configuration file
      """
      zone = "rack-1"

      <written>
      """
    When alpha is started in vain
    Then it exits with 2
    And it complains "line 3"
    And it complains "<hint>"

    Examples:
      | flaw             | written             | hint                 |
      | a misspelt key   | nmae = "db-1"       | did you mean name    |
      | an unknown key   | colour = "red"      | colour               |
      | a wrong kind     | name = 7            | name                 |
      | a wrong name     | name = "no good"    | DNS label            |
      | no TOML          | name = = "db-1"     | alpha.toml           |

  Scenario Outline: A wrong value of <flag> is refused
    When alpha is started in vain with
      | <flag> | <value> |
    Then it exits with 2
    And it complains "<flag>"
    And it complains "<hint>"

    Examples:
      | flag         | value          | hint          |
      | --name       | no good        | DNS label     |
      | --zone       | -              | DNS label     |
      | --gossip     | here           | 10.0.0.5:8746 |
      | --http       | {alpha}:0      | port 0        |
      | --http-name  | a b            | DNS label     |
      | --dns        | {alpha}:99999  | {alpha}:99999 |
      | --advertise  | 0.0.0.0        | connected     |
      | --join       | a b            | HOST:PORT     |
      | --on-term    | stop           | restart       |
      | --log        | loud           | debug         |
      | --log-format | xml            | json          |
      | --config     | {folder}/none.toml | none.toml |

  Scenario: A wrong value in the environment is refused by the name of its variable
    Given alpha's environment
      | TIDINGS_ZONE | no good |
    When alpha is started in vain
    Then it exits with 2
    And it complains "TIDINGS_ZONE"

  Scenario Outline: A port that is in use is named
    Given an agent alpha
    When beta is started in vain with
      | <flag> | {alpha}:<port> |
    Then it exits with 1
    And it complains "{alpha}:<port>"
    And it complains "<flag>"

    Examples:
      | flag     | port |
      | --gossip | 8746 |
      | --http   | 8780 |
      | --dns    | 8753 |

  Scenario: An address that is not this host's is named
    When alpha is started in vain with
      | --http | 192.0.2.1:8780 |
    Then it exits with 1
    And it complains "192.0.2.1:8780"

  Scenario: A data folder belongs to one agent at a time
    Given agent alpha with
      | --data-dir | {folder}/shared |
    When beta is started in vain with
      | --data-dir | {folder}/shared |
    Then it exits with 1
    And it complains "another agent is using the data folder"
    And alpha goes on

  Scenario: A data folder that can't be one is named
    Given a file plain.txt
      """
      no folder
      """
    When alpha is started in vain with
      | --data-dir | {folder}/plain.txt |
    Then it exits with 1
    And it complains "plain.txt"

  Scenario: The data folder of another cluster is refused
    Given agent alpha with
      | --data-dir | {folder}/kept |
      | --cluster  | red           |
    When alpha is stopped by SIGTERM
    And beta is started in vain with
      | --data-dir | {folder}/kept |
      | --cluster  | blue          |
    Then it exits with 1
    And it complains "red"
    And it complains "blue"
