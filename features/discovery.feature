Feature: Browsing services, and the ways back from addresses
  DNS-based service discovery (RFC 6763) lists the types of services, the instances of each, and where and what each is. Nodes show their metadata as TXT
  records, and addresses that the catalog knows lead back to names.

  Scenario: From the types of services to their instances
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses    | protocol | meta           |
      | web-1 | web     | 8080 | ["10.0.0.5"] | tcp      | {"path": "/x"} |
      | dns-1 | names   | 53   | ["10.0.0.6"] | udp      |                |
    When I look up _services._dns-sd._udp.tidings.internal PTR at alpha
    Then the lookup gives
      | _names._udp.tidings.internal |
      | _web._tcp.tidings.internal   |
    When I look up _web._tcp.tidings.internal PTR at alpha
    Then the lookup gives
      | web-1@alpha._web._tcp.tidings.internal |
    When I look up web-1@alpha._web._tcp.tidings.internal SRV at alpha
    Then the lookup gives
      | 1 10 8080 0a000005.addr.tidings.internal |
    And the additional section holds
      | 0a000005.addr.tidings.internal | A | 10.0.0.5 |
    When I look up web-1@alpha._web._tcp.tidings.internal TXT at alpha
    Then the lookup gives
      | path=/x |

  Scenario: Only what is healthy is listed
    Given an agent alpha
    And alpha registers
      | id    | service | port | checks                                               |
      | web-1 | web     | 8080 | [{"id": "beat", "ttl": "1h", "initial": "critical"}] |
    When I look up _web._tcp.tidings.internal PTR at alpha
    Then the lookup is NODATA
    When I look up _services._dns-sd._udp.tidings.internal PTR at alpha
    Then the lookup is NODATA
    When I look up web-1@alpha._web._tcp.tidings.internal SRV at alpha
    Then the lookup is NODATA
    When I look up web-2@alpha._web._tcp.tidings.internal SRV at alpha
    Then the lookup is NXDOMAIN

  Scenario: The metadata of a node is text
    Given alpha's configuration file
      """
      [meta]
      owner = "storage"
      rack = "7"
      """
    And an agent alpha
    When I look up alpha.node.tidings.internal TXT at alpha
    Then the lookup gives
      | owner=storage |
      | rack=7        |

  Scenario: An address leads back to its node, or to the name of the address
    Given an agent alpha
    And alpha registers
      | id    | service | port | addresses               |
      | web-1 | web     | 8080 | ["10.0.0.5", "fd00::5"] |
    When I look up {alpha.reversed}.in-addr.arpa PTR at alpha
    Then the lookup gives
      | alpha.node.tidings.internal |
    When I look up 5.0.0.10.in-addr.arpa PTR at alpha
    Then the lookup gives
      | 0a000005.addr.tidings.internal |
    When I look up 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa PTR at alpha
    Then the lookup gives
      | fd000000000000000000000000000005.addr.tidings.internal |

  Scenario: Reverse names of what the catalog does not know are refused, for they are somebody else's
    Given an agent alpha
    When I look up 9.0.0.10.in-addr.arpa PTR at alpha
    Then the lookup is REFUSED
    When I look up {alpha.reversed}.in-addr.arpa SOA at alpha
    Then the lookup is REFUSED
