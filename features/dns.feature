Feature: Finding services with ordinary DNS lookups
  A program in any language asks the agent beside it for a name under the domain, over UDP or TCP. Answers come from memory and hold
  healthy instances only.

  Scenario Outline: <name> is found
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses                | tags   | protocol | weight |
      | web-1 | web     | 8080 | ["10.0.0.5", "fd00::5"]  | ["v1"] | tcp      | 20     |
      | dns-1 | names   | 53   | ["10.0.0.6"]             |        | udp      |        |
    When I look up <name> <type> at alpha
    Then the lookup gives
      | <data> |
    And the lookup is authoritative
    And the lookup's records have a TTL of 0

    Examples:
      | name                                         | type | data                                       |
      | web.service.tidings.internal                 | A    | 10.0.0.5                                   |
      | web.service.tidings.internal                 | AAAA | fd00::5                                    |
      | v1.web.service.tidings.internal              | A    | 10.0.0.5                                   |
      | v1.web.service.tidings.internal              | AAAA | fd00::5                                    |
      | names.service.tidings.internal               | SRV  | 1 10 53 0a000006.addr.tidings.internal     |
      | _names._udp.service.tidings.internal         | SRV  | 1 10 53 0a000006.addr.tidings.internal     |
      | alpha.node.tidings.internal                  | A    | {alpha}                                    |
      | 0a000005.addr.tidings.internal               | A    | 10.0.0.5                                   |
      | 0A000005.addr.tidings.internal               | A    | 10.0.0.5                                   |
      | fd000000000000000000000000000005.addr.tidings.internal | AAAA | fd00::5                          |
      | {alpha.hex}.addr.tidings.internal            | A    | {alpha}                                    |

  Scenario Outline: SRV records of <name> come with the addresses of their targets
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses               | tags   | weight |
      | web-1 | web     | 8080 | ["10.0.0.5", "fd00::5"] | ["v1"] | 20     |
      | web-2 | web     | 8081 | ["10.0.0.6"]            | ["v2"] | 10     |
    When I look up <name> SRV at alpha
    Then the answer section holds
      | <name> | SRV | 1 20 8080 0a000005.addr.tidings.internal                         |
      | <name> | SRV | 1 20 8080 fd000000000000000000000000000005.addr.tidings.internal |
    And the additional section holds
      | 0a000005.addr.tidings.internal                         | A    | 10.0.0.5 |
      | fd000000000000000000000000000005.addr.tidings.internal | AAAA | fd00::5  |

    Examples:
      | name                              |
      | v1.web.service.tidings.internal   |
      | _web._v1.service.tidings.internal |

  Scenario: A name by protocol finds what speaks it
    Given an agent alpha
    And alpha registers
      | id    | service | port | protocol |
      | web-1 | web     | 443  | tcp      |
      | web-2 | web     | 444  | udp      |
    When I look up _web._tcp.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 443 {alpha.hex}.addr.tidings.internal |
    When I look up _web._udp.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 444 {alpha.hex}.addr.tidings.internal |
    When I look up web.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 443 {alpha.hex}.addr.tidings.internal |
      | 1 10 444 {alpha.hex}.addr.tidings.internal |

  Scenario: The domain itself has what a zone has
    Given an agent alpha
    When I look up tidings.internal SOA at alpha
    Then the lookup gives
      | ns.tidings.internal minimum 1 |
    When I look up tidings.internal NS at alpha
    Then the lookup gives
      | ns.tidings.internal |
    And the additional section holds
      | ns.tidings.internal | A | {alpha} |
    When I look up ns.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |

  Scenario Outline: <name> <type> is <outcome>, with the SOA that says for how long
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses    | tags   |
      | web-1 | web     | 8080 | ["10.0.0.5"] | ["v1"] |
    When I look up <name> <type> at alpha
    Then the lookup is <outcome>
    And the lookup is authoritative
    And the authority section holds
      | tidings.internal | SOA | ns.tidings.internal minimum 1 |

    Examples:
      | name                                | type | outcome  |
      | shop.service.tidings.internal       | A    | NXDOMAIN |
      | v2.web.service.tidings.internal     | A    | NXDOMAIN |
      | _web._udp.service.tidings.internal  | SRV  | NXDOMAIN |
      | omega.node.tidings.internal         | A    | NXDOMAIN |
      | 0a000063.addr.tidings.internal      | A    | NXDOMAIN |
      | web.service.tidings.internal        | AAAA | NODATA   |
      | web.service.tidings.internal        | TXT  | NODATA   |
      | _web._tcp.service.tidings.internal  | A    | NODATA   |
      | 0a000005.addr.tidings.internal      | AAAA | NODATA   |
      | alpha.node.tidings.internal         | AAAA | NODATA   |

  Scenario: A service that has nothing healthy is not one that does not exist
    Given a cluster of alpha and beta
    And beta registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at alpha soon gives
      | {beta} |
    When beta is stopped by SIGTERM
    And I look up web.service.tidings.internal A at alpha
    Then the lookup is NODATA

  Scenario: Both transports give the same
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
    When I look up web.service.tidings.internal A at alpha over TCP
    Then the lookup gives
      | 10.0.0.5 |
    When I look up web.service.tidings.internal A at alpha with EDNS 1232
    Then the lookup gives
      | 10.0.0.5 |
    And the lookup carries EDNS

  Scenario: An answer that does not fit says so, and TCP has all of it
    Given an agent alpha
    And alpha registers 60 instances of web
    When I look up web.service.tidings.internal SRV at alpha with EDNS 512
    Then the lookup is truncated
    And the lookup carries EDNS
    And the lookup's message has at most 512 octets
    When I look up web.service.tidings.internal SRV at alpha
    Then the lookup is truncated
    And the lookup's message has at most 512 octets
    When I look up web.service.tidings.internal SRV at alpha over TCP
    Then the lookup is not truncated
    And the lookup gives 60 records
    When I look up web.service.tidings.internal A at alpha over TCP
    Then the lookup is not truncated
    And the lookup gives 60 records

  Scenario: Over UDP an answer has as many of many instances as serve as well as all
    Given an agent alpha
    And alpha registers 60 instances of web
    When I look up web.service.tidings.internal A at alpha with EDNS 1232
    Then the lookup is not truncated
    And the lookup gives 32 records

  Scenario: Each answer has its own order
    Given an agent alpha
    And alpha registers 8 instances of web
    Then over 40 lookups of web.service.tidings.internal A at alpha different records come first
    And over 40 lookups of web.service.tidings.internal SRV at alpha different records come first

  Scenario: Names outside the domain are refused
    Given an agent alpha
    When I look up example.com A at alpha
    Then the lookup is REFUSED
    When I look up 5.0.0.10.in-addr.arpa PTR at alpha
    Then the lookup is REFUSED
    When I look up 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR at alpha
    Then the lookup is REFUSED

  Scenario: The case of a question comes back, so that resolvers can tell their own answers
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
    When I look up wEb.SeRviCE.tiDINgs.InteRNaL A at alpha
    Then the lookup gives
      | 10.0.0.5 |
    And the question comes back as wEb.SeRviCE.tiDINgs.InteRNaL

  Scenario Outline: A packet that is <odd> gets no answer
    Given an agent alpha
    When I send alpha a DNS packet that is <odd>
    Then it gets no answer
    And alpha goes on

    Examples:
      | odd                   |
      | a response            |
      | a truncated response  |
      | shorter than a header |
      | empty                 |

  Scenario Outline: A packet that is <odd> gets the answer <answer>
    Given an agent alpha
    When I send alpha a DNS packet that is <odd>
    Then it gets the answer <answer>
    And alpha goes on

    Examples:
      | odd                      | answer  |
      | cut short in its question | FORMERR |
      | with two questions       | FORMERR |
      | a zone update            | NOTIMP  |
      | a notify                 | NOTIMP  |
      | of EDNS version 1        | BADVERS |
      | of class CHAOS           | REFUSED |
      | a question for OPT       | FORMERR |
      | a question for MAILA     | NOTIMP  |

  Scenario: An agent that has not heard from its cluster yet does not deny what it can't know
    Given agent alpha that knows of no peer it can reach
    When I look up web.service.tidings.internal A at alpha with EDNS 1232
    Then the lookup is SERVFAIL
    And the lookup carries the extended error 14
    When I GET /v1/services/web at alpha
    Then the answer is the problem /problems/not-ready with status 503
    And it has the header Retry-After
    When I GET /v1/instances?service=web at alpha
    Then the answer is the problem /problems/not-ready with status 503
    When I GET /health/ready at alpha
    Then the answer is the problem /problems/not-ready with status 503
    When I GET /health/live at alpha
    Then the answer is 200
    Given alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup gives
      | {alpha} |

  Scenario: Of many addresses as many are given as fit, so that nobody who can't go to TCP gets none
    Given an agent alpha
    And alpha registers 60 instances of web
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is not truncated
    And the lookup gives 29 records
    And the lookup's message has at most 512 octets

  Scenario: A second domain has the same names, for who comes from another registry
    Given agent alpha with
      | --dns-alt-domain | consul |
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
    When I look up web.service.consul SRV at alpha
    Then the lookup gives
      | 1 10 8080 0a000005.addr.consul |
    And the additional section holds
      | 0a000005.addr.consul | A | 10.0.0.5 |
    When I look up shop.service.consul A at alpha
    Then the lookup is NXDOMAIN
    And the authority section holds
      | consul | SOA | ns.consul minimum 1 |
    When I look up web.service.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 8080 0a000005.addr.tidings.internal |

  Scenario: Who asks too often may be told for how long an answer holds
    Given agent alpha with
      | --dns-ttl          | 5s      |
      | --dns-service-ttl  | web=30s |
      | --dns-negative-ttl | 2s      |
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
      | db-1  | db      | 5432 | ["10.0.0.6"] |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup's records have a TTL of 30
    When I look up db.service.tidings.internal SRV at alpha
    Then the lookup's records have a TTL of 5
    When I look up alpha.node.tidings.internal A at alpha
    Then the lookup's records have a TTL of 0
    When I look up shop.service.tidings.internal A at alpha
    Then the authority section holds
      | tidings.internal | SOA | ns.tidings.internal minimum 2 |

  Scenario: What is near may come first
    Given agent alpha with
      | --zone       | east |
      | --dns-prefer | node |
    And agent beta joins through alpha
      | --zone       | east |
      | --dns-prefer | zone |
    And agent gamma joins through alpha
      | --zone       | west |
    And each of alpha, beta and gamma registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at each of alpha, beta and gamma soon gives
      | {alpha} |
      | {beta}  |
      | {gamma} |
    Then over 20 lookups of web.service.tidings.internal A at alpha the order is always {alpha}, {beta}, {gamma}
    And over 20 lookups of web.service.tidings.internal A at beta {gamma} is always last
    And over 40 lookups of web.service.tidings.internal A at gamma different records come first

  Scenario: A network may be given so many replies a second, so that nobody else is flooded with them
    Given agent alpha with
      | --dns-rate-limit | 2 |
    And alpha registers
      | id    | service | port | addresses    |
      | web-1 | web     | 8080 | ["10.0.0.5"] |
    When I ask alpha 50 times at once for web.service.tidings.internal A
    Then some of the answers are whole, some send me to TCP, and some are missing
    And the metrics at alpha soon show
      | tidings_dns_unanswered_total{reason="rate"} | 1 or more |
    When I look up web.service.tidings.internal A at alpha over TCP
    Then the lookup gives
      | 10.0.0.5 |

  Scenario: Another domain is answered for on request
    Given agent alpha with
      | --domain | corp.example |
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    When I look up web.service.corp.example A at alpha
    Then the lookup gives
      | {alpha} |
    When I look up web.service.tidings.internal A at alpha
    Then the lookup is REFUSED
