Feature: Passing on questions about other names
  By default names outside of the domain are refused, as it is for a resolver to know who is to be asked. Where an operator names upstreams, the
  agent passes such questions on, so that it can be the only DNS server of a host.

  Background:
    Given agent beta with
      | --domain | corp.example |
    And beta registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |

  Scenario: A question about another name is answered by an upstream
    Given agent alpha with
      | --dns-upstream | {beta}:8753 |
    When I look up web.service.corp.example A at alpha
    Then the lookup gives
      | 10.0.0.5 |
    When I look up WEB.service.corp.example SRV at alpha over TCP
    Then the lookup gives
      | 1 10 8080 0a000005.addr.corp.example |
    And the question comes back as WEB.service.corp.example
    When I look up shop.service.corp.example A at alpha
    Then the lookup is NXDOMAIN
    When I look up shop.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN
    And the lookup says that recursion is available
    When I look up shop.service.corp.example A at beta
    Then the lookup says that recursion is not available
    And the metrics at alpha soon show
      | tidings_dns_queries_total{type="A",result="forwarded"}   | 2 |
      | tidings_dns_queries_total{type="SRV",result="forwarded"} | 1 |

  Scenario: What is under the domain is never passed on, and what addresses lead back to is known here first
    Given agent alpha with
      | --dns-upstream | {beta}:8753 |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is NXDOMAIN
    And the authority section holds
      | tidings.internal | SOA | ns.tidings.internal minimum 1 |
    When I look up {alpha.reversed}.in-addr.arpa PTR at alpha
    Then the lookup gives
      | alpha.node.tidings.internal |
    When I look up 5.0.0.10.in-addr.arpa PTR at alpha
    Then the lookup gives
      | 0a000005.addr.corp.example |

  Scenario: What does not fit in a packet is fetched over TCP by who comes over TCP
    Given agent alpha with
      | --dns-upstream | {beta}:8753 |
    And beta registers 60 instances of web
    When I look up web.service.corp.example SRV at alpha with EDNS 1232
    Then the lookup is truncated
    When I look up web.service.corp.example SRV at alpha over TCP
    Then the lookup is not truncated
    And the lookup gives 60 records

  Scenario: Where an upstream is silent the next one is asked
    Given agent alpha with
      | --dns-upstream | {nobody}:8753 |
      | --dns-upstream | {beta}:8753   |
    When I look up web.service.corp.example A at alpha
    Then the lookup gives
      | 10.0.0.5 |

  Scenario: Where nobody answers that is said, and everything else goes on
    Given agent alpha with
      | --dns-upstream | {beta}:8753 |
    And alpha registers
      | id   | service | port | addresses    |
      | db-1 | db      | 5432 | ["10.0.0.6"] |
    When beta is killed
    And I look up web.service.corp.example A at alpha with EDNS 1232
    Then the lookup is SERVFAIL
    And the lookup carries the extended error 22
    When I look up db.service.tidings.internal A at alpha
    Then the lookup gives
      | 10.0.0.6 |

  Scenario: The servers that the host asks are upstreams, too, and what is none is refused with what to write
    Given agent alpha with
      | --dns-upstream | system      |
      | --dns-upstream | {beta}:8753 |
    When beta is started in vain with
      | --dns-upstream | dns.example |
    Then it exits with 2
    And it complains "or system for the servers that this host asks"
