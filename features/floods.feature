Feature: Whoever sends without end takes nothing from the others
  Garbage costs the agent little, and streams that say nothing hold no place that somebody else needs: look-ups are answered, peers hold the agent for
  alive, and newcomers get in, for as long as it goes on.

  Scenario Outline: <what> by datagram at the port of <port>
    Given a cluster of alpha, beta and gamma
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    And I count the lines of alpha's log
    When <what> floods alpha's <port> port
    And a client beside each of alpha looks up web.service.tidings.internal A all the while
    Then each client got these at each answer, and none got an empty one
      | {beta} |
    And the metrics at alpha soon show
      | <metric> | 5000 or more |
    When agent delta joins through alpha
    Then web.service.tidings.internal A at delta soon gives
      | {beta} |
    And alpha's log has grown by at least <lines> and at most 10 lines
    And beta sees alpha as alive
    And the metrics at beta soon show
      | tidings_down_verdicts_total | 0 |
    And the metrics at alpha soon show
      | tidings_down_verdicts_total | 0 |

    Examples:
      | what                    | port   | metric                                         | lines |
      | noise                   | gossip | tidings_gossip_dropped_total                   | 1     |
      | a right head with noise | gossip | tidings_gossip_dropped_total                   | 1     |
      | noise                   | DNS    | tidings_dns_queries_total{type="other"}        | 0     |
      | answers                 | DNS    | tidings_dns_queries_total{result="ignored"}    | 0     |

  Scenario: Streams that say nothing keep no newcomer out
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When 400 streams that say nothing are held open to alpha's gossip port
    And agent beta joins through alpha
    Then web.service.tidings.internal A at beta soon gives
      | {alpha} |
    And the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="half_open_stream"} | 1 or more |
    And alpha sees beta as alive

  Scenario Outline: Connections that <do> keep nobody from the API
    Given an agent alpha
    When 3000 connections that <do> are held open to alpha's HTTP port
    And I GET /v1/nodes at alpha
    Then the answer lists
      | name  | state |
      | alpha | alive |
    And the metrics at alpha soon show
      | tidings_http_connections_cut_total | 1 or more |

    Examples:
      | do                             |
      | say nothing                    |
      | send a head an octet at a time |
      | send a head and no body        |
