Feature: An agent counts what it does
  `/metrics` shows it to Prometheus and to whatever else reads OpenMetrics. No label has a value that somebody outside made up.

  Scenario: Metrics are OpenMetrics
    Given an agent alpha
    When I GET /metrics at alpha
    Then the answer is 200
    And its header Content-Type is application/openmetrics-text; version=1.0.0; charset=utf-8
    And it has no header ETag
    And every metric in it has a type and a text of help, and it ends with EOF
    When I HEAD /metrics at alpha
    Then the answer is 200
    And its body is empty
    When I GET /metrics?colour=red at alpha
    Then the answer is the problem /problems/invalid-query with status 400

  Scenario: The agent and its process
    Given an agent alpha
    And agent beta that knows of no peer it can reach
    Then the metrics at alpha soon show
      | tidings_build_info                   | 1               |
      | tidings_agent_info{name="alpha"}     | 1               |
      | tidings_ready                        | 1               |
      | tidings_name_conflict                | 0               |
      | process_resident_memory_bytes        | 1000000 or more |
      | process_open_fds                     | 4 or more       |
      | process_max_fds                      | 4 or more       |
      | process_cpu_seconds_total            | 0 or more       |
      | process_start_time_seconds           | 1 or more       |
    And the metrics at beta soon show
      | tidings_ready                        | 0 |

  Scenario: Members, services and instances
    Given a cluster of alpha and beta
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
      | web-2 | web     | 8081 |
    Then the metrics at alpha soon show
      | tidings_members{state="alive"}         | 2 |
      | tidings_services                       | 1 |
      | tidings_instances{status="passing"}    | 2 |
      | tidings_own_instances{status="passing"} | 2 |
    And the metrics at beta soon show
      | tidings_instances{status="passing"}    | 2 |
      | tidings_own_instances                  | 0 |
    When I PUT /v1/agent/instances/web-1/maintenance at alpha
      """
      {"reason": "new disk"}
      """
    Then the metrics at alpha soon show
      | tidings_own_instances_held_back{reason="maintenance"} | 1 |
    And the metrics at beta soon show
      | tidings_instances_held_back{reason="maintenance"}     | 1 |
      | tidings_own_instances_held_back                       | 0 |
    When alpha is killed
    Then the metrics at beta soon show
      | tidings_members{state="down"}                         | 1 |
      | tidings_instances_held_back{reason="node_down"}       | 2 |

  Scenario: A member that is slow is suspected and refutes it; one that was away for long comes back
    Given a cluster of alpha and beta
    When beta is paused
    Then the metrics at alpha soon show
      | tidings_probes_total         | 1 or more |
      | tidings_probe_failures_total | 1 or more |
      | tidings_suspicions_total     | 1 or more |
    When beta is resumed
    Then the metrics at alpha soon show
      | tidings_refutations_total{by="peer"} | 1 or more |
    And the metrics at beta soon show
      | tidings_refutations_total{by="self"} | 1 or more |
    When beta is paused
    Then alpha soon sees beta as down
    And the metrics at alpha soon show
      | tidings_down_verdicts_total{fault="stalled"} | 1 |
      | tidings_down_verdicts_total{fault="silent"}  | 0 |
    When beta is resumed
    Then the metrics at beta soon show
      | tidings_rejoins_total        | 1 or more |
      | tidings_held_up_total        | 1 or more |
      | tidings_local_health         | 0 or more |

  Scenario: A member that was killed is found down with the help of others
    Given a cluster of alpha, beta and gamma
    Then the metrics at alpha soon show
      | tidings_watch_streams                        | 2 or more |
    When gamma is killed
    Then alpha soon sees gamma as down
    And the metrics at alpha soon show
      | tidings_probe_requests_total                 | 1 or more |
      | tidings_probes_inconclusive_total            | 0         |
    When beta is killed
    Then alpha soon sees beta as down
    And the metrics at alpha soon show
      | tidings_down_verdicts_total{fault="refused"} | 1 or more |

  Scenario: What goes over the network
    Given a cluster of alpha and beta
    Then the metrics at beta soon show
      | tidings_gossip_datagrams_total{direction="in"}        | 1 or more  |
      | tidings_gossip_datagrams_total{direction="out"}       | 1 or more  |
      | tidings_gossip_datagram_bytes_total{direction="in"}   | 20 or more |
      | tidings_gossip_datagram_bytes_total{direction="out"}  | 20 or more |
      | tidings_gossip_streams_total{opener="self"}           | 1 or more  |
      | tidings_gossip_stream_bytes_total{direction="in"}     | 20 or more |
      | tidings_gossip_stream_bytes_total{direction="out"}    | 20 or more |
      | tidings_gossip_open_streams                           | 1 or more  |
      | tidings_syncs_total{purpose="join",result="done"}     | 1 or more  |
    And the metrics at alpha soon show
      | tidings_gossip_streams_total{opener="peer"}           | 1 or more  |
    When a connection to alpha's gossip port stops in the middle of a frame
    Then the metrics at alpha soon show
      | tidings_gossip_open_streams                           | 1 or more  |

  Scenario: What is dropped is counted by reason
    Given an agent alpha
    When 100 datagrams of noise reach alpha's gossip port
    Then the metrics at alpha soon show
      | tidings_gossip_dropped_total{reason="malformed"} | 50 or more |
      | tidings_gossip_dropped_total{reason="buried"}    | 0          |

  Scenario: News comes by push, and what is too large for it by sync
    Given a cluster of alpha and beta
    And I note the metric tidings_sync_records_total at beta
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then the metrics at beta soon show
      | tidings_pushes_total{outcome="news"}   | 1 or more |
      | tidings_pushes_total{outcome="early"}  | 0 or more |
      | tidings_gossip_news_age_seconds_count  | 1 or more |
      | tidings_push_queue_records             | 0         |
    When I PUT /v1/agent/instances/web-2 at alpha with metadata of 7000 octets
    Then the metrics at alpha soon show
      | tidings_pushes_unqueued_total          | 1 or more |
    And the metric tidings_sync_records_total at beta soon is higher than noted

  Scenario: Results of checks
    Given an agent alpha
    And a service beside alpha that answers 200
    When I PUT /v1/agent/instances/web-1 at alpha
      """
      {"service": "web", "port": 9000, "checks": [
        {"id": "alive", "http": "http://{alpha}:9000/", "interval": "200ms", "timeout": "1s"},
        {"id": "port", "tcp": "{alpha}:9000", "interval": "200ms"},
        {"id": "beat", "ttl": "1h"}]}
      """
    And alpha's instance web-1 is told to be warning
    Then the metrics at alpha soon show
      | tidings_check_results_total{kind="http",status="passing"} | 1 or more |
      | tidings_check_results_total{kind="tcp",status="passing"}  | 1 or more |
      | tidings_check_results_total{kind="ttl",status="warning"}  | 1         |
      | tidings_check_run_duration_seconds_count{kind="http"}     | 1 or more |
      | tidings_check_run_duration_seconds_count{kind="tcp"}      | 1 or more |
      | tidings_check_run_delay_seconds_count                     | 2 or more |
      | tidings_own_instances{status="warning"}                   | 1         |
    When the service beside alpha answers 503
    Then the metrics at alpha soon show
      | tidings_check_results_total{kind="http",status="critical"}     | 1 or more |
      | tidings_own_instances_held_back{reason="critical"}             | 1         |

  Scenario: DNS queries by type and result
    Given an agent alpha
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I look up web.service.tidings.internal A at alpha
    And I look up web.service.tidings.internal SRV at alpha
    And I look up web.service.tidings.internal TXT at alpha
    And I look up nothing.service.tidings.internal A at alpha
    Then the metrics at alpha soon show
      | tidings_dns_queries_total{type="A",result="answered"}   | 1 |
      | tidings_dns_queries_total{type="SRV",result="answered"} | 1 |
      | tidings_dns_queries_total{type="TXT",result="nodata"}   | 1 |
      | tidings_dns_queries_total{type="A",result="nxdomain"}   | 1 |
      | tidings_dns_query_duration_seconds_count                | 4 |

  Scenario: HTTP requests by route, and not by path
    Given an agent alpha
    When I GET /v1/nodes/alpha at alpha
    And I GET /v1/nodes/nobody at alpha
    And I GET /v1/nothing at alpha
    Then the metrics at alpha soon show
      | tidings_http_requests_total{method="GET",route="/v1/nodes/{node}",status="2xx"} | 1         |
      | tidings_http_requests_total{method="GET",route="/v1/nodes/{node}",status="4xx"} | 1         |
      | tidings_http_requests_total{method="other",route="other",status="4xx"}          | 1         |
      | tidings_http_request_duration_seconds_count{route="/v1/nodes/{node}"}           | 2         |
    When I GET /metrics at alpha
    Then the answer does not say "nobody"
    And the answer does not say "nothing"

  Scenario: Writes to disk
    Given an agent alpha with room for 65536 octets on its disk
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then the metrics at alpha soon show
      | tidings_store_appends_total{result="done"}   | 1 or more   |
      | tidings_store_appends_total{result="failed"} | 0           |
      | tidings_store_writes_total                   | 1 or more   |
      | tidings_store_append_duration_seconds_count  | 1 or more   |
      | tidings_store_journal_bytes                  | 100 or more |
      | tidings_store_compactions_total              | 0           |
    When I register instances at alpha until its disk is full
    Then the metrics at alpha soon show
      | tidings_store_appends_total{result="failed"} | 1 or more     |
      | tidings_store_journal_bytes                  | 50000 or more |
