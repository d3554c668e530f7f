Feature: Recorded gossip says nothing when it is said again
  Somebody on the way can record what agents say to each other, and say it again, without being able to read it. Where encryption is required it is not taken any more after
  ten seconds, by anybody, whatever key it was sealed with; and a stream that is said again gets no further than its first words.

  Background:
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And a key file keys-of-gamma
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And a key file new
      """
      6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      """
    And someone on the way to alpha who records what it is told
    And agent alpha with
      | --key-file  | {folder}/keys |
      | --advertise | {nobody}      |
    And agent gamma joins through {nobody}
      | --key-file | {folder}/keys-of-gamma |
    And agent beta joins through {nobody}
      | --key-file | {folder}/keys |
    When beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And gamma registers
      | id    | service | port |
      | web-2 | web     | 8080 |
    Then GET /v1/instances?service=web at alpha soon lists
      | node  | id    |
      | beta  | web-1 |
      | gamma | web-2 |
    And at least 10 datagrams and 2 streams are soon recorded

  Scenario: The signs of life of a dead agent do not keep it alive
    When beta is killed
    And what was recorded is said again to alpha until it takes none of the datagrams
    Then alpha soon sees beta as down
    And the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="too_old"} | 10 or more |
    When what was recorded is said again to gamma until it takes none of the datagrams
    Then gamma soon sees beta as down
    And GET /v1/instances?service=web at gamma soon lists
      | node  | id    |
      | gamma | web-2 |

  Scenario: A stream that is said again gets no further than its first words
    When beta is killed
    Then alpha soon sees beta as down
    When the recorded streams are said again to alpha
    And the recorded streams are said again to gamma
    Then the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="forged"} | 1 or more |
    And the metrics at gamma soon show
      | tidings_gossip_dropped_total{reason="forged"} | 1 or more |
    And alpha sees beta as down
    And GET /v1/instances?service=web at alpha soon lists
      | node  | id    |
      | gamma | web-2 |

  Scenario: After a change of the key nothing of before is taken, and who has the old one gets in nowhere
    When I run `tidings keys add {folder}/new` beside alpha
    And I run `tidings keys add {folder}/new` beside gamma
    And beta is stopped by SIGTERM
    And I run `tidings keys use 6` beside alpha
    And I run `tidings keys use 6` beside gamma
    And I run `tidings keys remove 5` beside alpha
    And I run `tidings keys remove 5` beside gamma
    And what was recorded is said again to alpha until it takes none of the datagrams
    And what was recorded is said again to gamma until it takes none of the datagrams
    And the recorded streams are said again to gamma
    Then the metrics at gamma soon show
      | tidings_gossip_dropped_total{reason="no_such_key"} | 10 or more |
    And alpha sees beta as left
    And GET /v1/instances?service=web at alpha soon lists
      | node  | id    |
      | gamma | web-2 |
    Given a key file outdated
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    When agent delta tries to join through alpha
      | --key-file | {folder}/outdated |
    Then delta's log soon says "it ended the stream without a word: does it have the same keys?"
    And GET /v1/nodes?state=alive at alpha soon lists
      | name  |
      | alpha |
      | gamma |
