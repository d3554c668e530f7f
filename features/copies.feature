Feature: One data folder, one agent
  A data folder says which node an agent is. One that was copied makes two of a node; one that was restored from a backup knows less of
  its node than the cluster does. Each start has a generation above the one before, by which all agents tell which is the later.

  Scenario: Where an agent starts on a copy of a folder that another one runs on, the one with the lower generation stops
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And beta's data folder is copied to moved
    When agent gamma joins through alpha
      | --data-dir | {folder}/moved |
      | --name     | beta           |
    Then beta ends with 4
    And beta's log soon says "this one at {beta}:8746 (generation 1), and one at {gamma}:8746 (generation 2)"
    And alpha soon sees beta as alive
    And GET /v1/nodes/beta/instances at alpha soon lists
      | id    |
      | web-1 |
    And GET /v1/agent at gamma soon has
      | /generation | 2    |
      | /name       | beta |

  Scenario: A copy that is older than its original is the one that stops
    Given a cluster of alpha and beta
    And beta's data folder is copied to old
    When beta is killed
    And beta starts again
    And beta is killed
    And beta starts again
    And agent gamma tries to join through alpha
      | --data-dir | {folder}/old |
      | --name     | beta         |
    Then gamma ends with 4
    And gamma's log soon says "this one at {gamma}:8746 (generation 2), and one at {beta}:8746 (generation 3)"
    And beta goes on
    And alpha soon sees beta as alive

  Scenario: A folder that was restored from a backup comes up above what peers report, and says what came back
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |
    And beta's data folder is copied to backup
    When I DELETE /v1/agent/instances/web-2 at beta
    And beta registers
      | id    | service | port |
      | web-3 | web     | 8082 |
    And beta is killed
    And beta starts again
    And beta is killed
    And beta starts again
    Then GET /v1/nodes/beta/instances at alpha soon lists
      | id    |
      | web-1 |
      | web-3 |
    When beta is killed
    And beta's data folder is restored from backup
    And beta starts again
    Then GET /v1/agent at beta soon has
      | /generation  | 4     |
      | /came_back/0 | web-2 |
    And GET /v1/nodes/beta/instances at alpha soon lists
      | id    |
      | web-1 |
      | web-2 |
    And beta's log soon says "its data folder was restored from a backup, or is a copy"
    And beta's log soon says "instances came back that had been removed, and are handed out again: web-2"
    And beta's log soon says "instances that were registered with this agent are not in its data folder: web-3"
    And the metrics at beta soon show
      | tidings_climbs_total{cause="another_life"}         | 1         |
      | tidings_syncs_total{purpose="itself"}              | 1 or more |
    When I DELETE /v1/agent/instances/web-2 at beta
    Then GET /v1/agent at beta soon has
      | /came_back | [] |
