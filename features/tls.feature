Feature: https
  An agent that has a certificate serves its API as https, over TLS 1.3 and 1.2, and as nothing else on that port. It may take clients with a
  certificate alone; that stands beside tokens, not in place of them. Certificates are replaced without a gap.

  Background:
    Given an authority ours
    And a certificate api of ours for {alpha} and agent.example

  Scenario: TLS 1.3 and 1.2 are spoken, and nothing older
    Given agent alpha with
      | --http-certificate | {folder}/api.pem |
      | --http-key         | {folder}/api.key |
    Then alpha speaks TLS 1.3 with who trusts ours
    And alpha speaks TLS 1.2 with who trusts ours
    And alpha refuses TLS 1.1
    When I GET /v1/nodes at alpha with the header Host: agent.example
    Then the answer is 200
    When I GET /v1/nodes at alpha with the header Host: other.example
    Then the answer is the problem /problems/misdirected with status 421

  Scenario: Commands ask over https, and say what to do where they are not to trust
    Given agent alpha with
      | --http-certificate | {folder}/api.pem |
      | --http-key         | {folder}/api.key |
    And an authority theirs
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem`
    Then it exits with 0
    And it prints
      | alpha | alive |
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/theirs.pem`
    Then it exits with 3
    And it complains "its certificate is signed by no authority that is trusted here: name that one with --ca FILE or TIDINGS_CA"
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/none.pem`
    Then it exits with 2
    And it complains "none.pem: No such file"
    When I run `tidings members --agent {alpha}:8780`
    Then it exits with 2
    And it complains "This takes https (HTTP 400): ask again with https:// in place of http://"
    When I GET /v1/nodes at alpha without TLS
    Then the answer is the problem /problems/https-needed with status 400
    And the metrics at alpha soon show
      | tidings_http_handshake_failures_total{reason="plain"}   | 2 |
      | tidings_http_handshake_failures_total{reason="refused"} | 1 |

  Scenario: A name that is not in the certificate is told
    Given a certificate other of ours for other.example
    And agent beta is started, whose certificate is not looked at, with
      | --http-certificate | {folder}/other.pem |
      | --http-key         | {folder}/other.key |
    When I run `tidings members --agent https://{beta}:8780 --ca {folder}/ours.pem`
    Then it exits with 3
    And it complains "it is called otherwise"
    And it complains "is only valid for DnsName("other.example")"

  Scenario: An agent without TLS says nothing to https
    Given an agent alpha
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem`
    Then it exits with 3
    And it complains "what is there speaks no TLS: ask with http://"

  Scenario: Clients need a certificate where it is said, and a token all the same
    Given a file tokens.toml
      """
      [[token]]
      name = "reader"
      hash = "sha256:3d0941964aa3ebdcb00ccef58b1bb399f9f898465e9886d5aec7f31090a0fb30"
      scopes = ["read"]
      """
    And an authority theirs
    And a certificate mine of ours for me
    And a certificate wrong of theirs for me
    And agent alpha with
      | --http-certificate | {folder}/api.pem     |
      | --http-key         | {folder}/api.key     |
      | --http-client-ca   | {folder}/ours.pem    |
      | --token-file       | {folder}/tokens.toml |
      | --http-local       | token                |
      | --http-reads       | token                |
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem`
    Then it exits with 3
    And it complains "it wants a certificate: show it one with --client-certificate and --client-key"
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem --client-certificate {folder}/wrong.pem --client-key {folder}/wrong.key`
    Then it exits with 3
    And it complains "it does not take the certificate that was shown"
    And alpha's log soon says "no TLS with a client"
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem --client-certificate {folder}/mine.pem --client-key {folder}/mine.key`
    Then it exits with 1
    And it complains "reading needs the scope read: send a token that has it"
    When I run `tidings members` with the environment
      | TIDINGS_AGENT              | https://{alpha}:8780 |
      | TIDINGS_CA                 | {folder}/ours.pem    |
      | TIDINGS_CLIENT_CERTIFICATE | {folder}/mine.pem    |
      | TIDINGS_CLIENT_KEY         | {folder}/mine.key    |
      | TIDINGS_TOKEN              | reader               |
    Then it exits with 0

  Scenario: A certificate is replaced without a gap, and a bad one changes nothing
    Given an authority theirs
    And agent alpha with
      | --http-certificate | {folder}/api.pem |
      | --http-key         | {folder}/api.key |
    When a client that trusts ours stays connected to alpha
    And the certificate api becomes one of theirs for {alpha}
    And alpha receives SIGHUP
    Then alpha's log soon says "the API is served by another certificate from now on"
    And alpha is soon trusted by who trusts theirs
    And alpha is not trusted by who trusts ours
    And that client is still answered
    When the file api.pem becomes that of ours.pem
    And alpha receives SIGHUP
    Then alpha's log soon says "the key is not that of the certificate: give both of one pair"
    And alpha's log soon says "so nothing was changed"
    And alpha speaks TLS 1.3 with who trusts theirs
    And that client is still answered

  Scenario: A key that others may read is refused
    Given the file api.key may be read by everyone
    When alpha is started in vain with
      | --http-certificate | {folder}/api.pem |
      | --http-key         | {folder}/api.key |
    Then it exits with 2
    And it complains "api.key: others than its owner may use it (its mode is 0644)"

  Scenario: What is given by half is refused
    When alpha is started in vain with
      | --http-certificate | {folder}/api.pem |
    Then it exits with 2
    And it complains "a certificate takes its private key: name the file with it with --http-key"

  Scenario: The file says what is shown and asked for
    Given alpha's configuration file
      """
      [http]
      certificate = "{folder}/api.pem"
      key = "{folder}/api.key"
      client_ca = "{folder}/ours.pem"
      """
    And an agent alpha
    When I run `tidings members --agent https://{alpha}:8780 --ca {folder}/ours.pem`
    Then it exits with 3
    And it complains "it wants a certificate"

  Scenario: The environment says what is shown and asked for
    Given alpha's environment
      | TIDINGS_HTTP_CERTIFICATE | {folder}/api.pem  |
      | TIDINGS_HTTP_KEY         | {folder}/api.key  |
      | TIDINGS_HTTP_CLIENT_CA   | {folder}/ours.pem |
    And an agent alpha
    When I GET /v1/nodes at alpha
    Then the answer is 200
