Feature: Encrypted gossip
  With keys in its configuration a cluster is closed to everyone who has none of them: what its agents say to each other is encrypted, and nothing else is taken.

  Scenario: Agents with one key form a cluster
    Given a key file keys
      """
      # of May
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And agent alpha with
      | --key-file | {folder}/keys |
    And agent beta joins through alpha
      | --key-file | {folder}/keys |
    When beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then GET /v1/instances?service=web at alpha soon lists
      | node | id    |
      | beta | web-1 |
    When beta is killed
    Then alpha soon sees beta as down

  Scenario Outline: What an agent says can be read unless it is encrypted
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And someone who records what agents say
    When agent alpha tries to join through {nobody}
      | --key-file   | {folder}/keys |
      | --encryption | <mode>        |
    Then what alpha said <has> its name in it

    Examples:
      | mode    | has           |
      | off     | has           |
      | accept  | does not have |
      | require | does not have |

  Scenario Outline: An agent without the key gets in nowhere
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And a key file others
      """
      <key>
      """
    And agent alpha with
      | --key-file | {folder}/keys |
    When agent beta tries to join through alpha
      | --key-file   | {folder}/others |
      | --encryption | <mode>          |
    Then beta's log soon says "it ended the stream without a word: does it have the same keys?"
    And the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="<reason>"} | 1 or more |
    And GET /v1/nodes at alpha soon lists
      | name  |
      | alpha |

    Examples:
      | key                                            | mode    | reason        |
      | 5:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= | require | forged        |
      | 6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= | require | no_such_key   |
      | 5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU= | off     | not_encrypted |

  Scenario: Encryption is turned on in a running cluster, and nothing is missing from any answer
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And alpha's configuration file
      """
      """
    And beta's configuration file
      """
      """
    And a cluster of alpha and beta
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at each of alpha and beta soon gives
      | {alpha} |
    When a client beside each of alpha and beta looks up web.service.tidings.internal A all the while
    And each of alpha and beta soon says "encryption is off, with the keys [5]" once its file has
      """
      [gossip]
      key_file = "{folder}/keys"
      encryption = "off"
      """
    And each of alpha and beta soon says "encryption is accept, with the keys [5]" once its file has
      """
      [gossip]
      key_file = "{folder}/keys"
      encryption = "accept"
      """
    And each of alpha and beta soon says "encryption is require, with the keys [5]" once its file has
      """
      [gossip]
      key_file = "{folder}/keys"
      encryption = "require"
      """
    And alpha registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    Then GET /v1/instances?service=web at beta soon lists
      | node  | id    |
      | alpha | web-1 |
      | alpha | web-2 |
    And each client got these at each answer, and none got an empty one
      | {alpha} |
    When agent gamma tries to join through alpha
    Then gamma's log soon says "it ended the stream without a word: does it have the same keys?"

  Scenario Outline: Keys that are not safe, or no keys, are refused
    Given a key file keys
      """
      <line>
      """
    And the file keys may be read by <readers>
    When alpha is started in vain with
      | --key-file | {folder}/keys |
    Then it exits with 2
    And it complains "<complaint>"
    And it does not complain "paWl"

    Examples:
      | line                                           | readers  | complaint                                                                              |
      | 5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU= | everyone | keys: others than its owner may use it (its mode is 0644): chmod 600 it               |
      | 5:paWlpaWl                                     | me alone | keys: line 1: what stands behind the colon is not 32 octets in Base64                 |
      | # none yet                                     | me alone | keys: there is no key in it; `tidings keys generate` makes one                         |

  Scenario: Encryption without keys is refused
    When alpha is started in vain with
      | --encryption | accept |
    Then it exits with 2
    And it complains "accept takes keys: name the file with them with --key-file"

  Scenario: systemd hands the keys over
    Given a key file credentials/tidings.keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And alpha's environment
      | CREDENTIALS_DIRECTORY | {folder}/credentials |
    And an agent alpha
    And someone who records what agents say
    When agent beta tries to join through alpha
    Then beta's log soon says "it ended the stream without a word: does it have the same keys?"

  Scenario: Keys that systemd hands over and that can't be got at are no reason to go without
    Given a file credentials
      """
      no folder
      """
    And alpha's environment
      | CREDENTIALS_DIRECTORY | {folder}/credentials |
    When alpha is started in vain
    Then it exits with 2
    And it complains "credentials/tidings.keys: "

  Scenario: The environment may name the keys
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And alpha's environment
      | TIDINGS_KEY_FILE   | {folder}/keys |
      | TIDINGS_ENCRYPTION | accept        |
    And an agent alpha
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  | encryption.mode | encryption.keys.0.id |
      | alpha | accept          | 5                    |
