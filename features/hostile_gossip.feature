Feature: Strangers at the gossip port change nothing
  Whatever reaches the port that agents talk through, the agent goes on, and neither its memory nor its log grows without end.

  Scenario: Datagrams of noise are dropped
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    And I count the lines of alpha's log
    When 1000 datagrams of noise reach alpha's gossip port
    Then alpha's log has grown by at least 1 and at most 10 lines
    And alpha goes on
    And alpha sees beta as alive
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  | state |
      | alpha | alive |
      | beta  | alive |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: Streams of noise are closed
    Given a cluster of alpha and beta
    And I count the lines of alpha's log
    When 200 streams of noise reach alpha's gossip port
    Then alpha's log has grown by at least 1 and at most 10 lines
    And alpha goes on
    When beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then web.service.tidings.internal A at alpha soon gives
      | {beta} |

  Scenario: True messages that were cut short or damaged are dropped
    Given someone who records what agents say
    And an agent alpha
    And agent beta that knows of no peer it can reach
    # What is still a true message after that must not find anybody at home.
    When beta has said something and is killed
    And what beta said is sent to alpha cut short and with flipped bits
    Then alpha goes on
    And GET /v1/nodes?state=alive at alpha soon lists
      | name  |
      | alpha |

  Scenario: One that speaks later versions of the wire format alone is refused, and both are told why
    Given an agent alpha
    When a peer that speaks versions 8 to 9 of the wire format says hello to alpha
    Then it is answered nothing
    And alpha's log soon says "it is of version 8 of the wire format, and this agent speaks 1 to 1"
    When the peer asks which versions alpha speaks
    Then it is answered that those are 1 to 1, in the form of all versions
    And alpha's log soon says "this agent speaks versions 1 to 1 of the wire format, the agent at {nobody}:8746 8 to 9: upgrade this agent to a release that speaks version 8"
    And the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="version"} | 2 |
    When the peer asks which versions alpha speaks 50 times
    Then the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="version"} | 52 |
    And alpha's log says "{nobody}:8746 8 to 9" once
    And alpha goes on
    When I GET /v1/nodes at alpha
    Then the answer lists
      | name  |
      | alpha |

  Scenario: One that speaks later versions of the wire format, too, is welcome
    Given an agent alpha
    When a peer that speaks versions 1 to 9 of the wire format says hello to alpha
    Then it is answered by a hello in version 1
    When the peer asks which versions alpha speaks
    Then it is answered that those are 1 to 1, in the form of all versions
    And alpha's log says "wire format" at most 0 times

  Scenario: Who lacks the key is told nothing of versions
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And agent alpha with
      | --key-file | {folder}/keys |
    When a peer that speaks versions 8 to 9 of the wire format says hello to alpha
    Then it is answered nothing
    And alpha's log soon says "it is of version 8 of the wire format, and this agent speaks 1 to 1"
    When the peer asks which versions alpha speaks
    Then it is answered nothing
    And the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="version"}       | 1 |
      | tidings_gossip_dropped_total{reason="not_encrypted"} | 1 |

  Scenario: A connection that falls silent is closed
    Given an agent alpha
    When a connection to alpha's gossip port stops in the middle of a frame
    Then alpha soon closes it

  Scenario: Many connections that say nothing keep nobody out for long
    Given an agent alpha
    When 600 connections to alpha's gossip port stay open without a word
    Then alpha goes on
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |
    When agent beta joins through alpha
    Then web.service.tidings.internal A at beta soon gives
      | {alpha} |
