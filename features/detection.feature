Feature: Who is gone is found out soon, and who is only slow is not

  A process that was killed takes its connections with it, and its host says that it is gone: a third of a second is enough then.
  Where nothing at all is heard of a host it takes some two seconds, and five where a process is there and does not answer. The bounds
  here are generous, since the machine may be busy.

  Scenario: A killed agent is down for all others within seconds
    Given a cluster of alpha, beta, gamma and delta
    And delta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {delta} |
    When delta is killed
    Then alpha, beta and gamma see delta as down within 4 seconds
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA
    When I GET /v1/nodes/delta at beta
    Then the answer is 200 with
      | /state | down |

  Scenario: One of two agents finds the other one gone
    Given a cluster of alpha and beta
    When beta is killed
    Then alpha sees beta as down within 4 seconds

  Scenario: An agent that is paused for less than a second stays in discovery
    Given a cluster of alpha, beta and gamma
    When gamma is paused for 700 ms
    And gamma is paused for 700 ms
    And gamma is paused for 700 ms
    Then alpha soon sees gamma as alive
    And alpha's log says "member down" at most 0 times
    And gamma sees alpha as alive
    And the metrics at alpha soon show
      | tidings_down_verdicts_total | 0 |
    And the metrics at gamma soon show
      | tidings_down_verdicts_total | 0 |
      | tidings_rejoins_total       | 0 |

  Scenario: An agent that does not answer is shown as suspect before it is down, and comes back by itself
    Given a cluster of alpha, beta and gamma
    When gamma is paused
    Then alpha soon sees gamma as suspect
    When I GET /v1/nodes/gamma at alpha
    Then the answer is 200 with
      | /reason | it takes connections and does not answer |
    And alpha and beta see gamma as down within 20 seconds
    When gamma is resumed
    Then alpha soon sees gamma as alive
    And beta soon sees gamma as alive
    And gamma soon sees alpha as alive
