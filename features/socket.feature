Feature: A Unix socket for programs on the host
  Beside TCP, or in place of it, the API is served at a Unix socket. Who may open it is who the mode of its file lets, and may do what programs on
  the host may do.

  Scenario: Commands ask by the socket, which is its owner's alone and goes with the agent
    Given agent alpha with
      | --http-socket | {folder}/alpha.sock |
    Then the socket alpha.sock has the mode 0600
    When I run `tidings members --agent unix:{folder}/alpha.sock`
    Then it exits with 0
    And it prints
      | alpha | alive |
    When I GET /v1/agent by the socket alpha.sock
    Then the answer is 200 with
      | /http        | {alpha}:8780        |
      | /http_socket | {folder}/alpha.sock |
    When alpha is stopped by SIGTERM
    Then the socket alpha.sock is gone
    When I run `tidings members --agent unix:{folder}/alpha.sock`
    Then it exits with 3
    And it complains "no agent reached at unix:"

  Scenario: Others may use it where it is said
    Given agent alpha with
      | --http-socket      | {folder}/alpha.sock |
      | --http-socket-mode | 0666                |
    Then the socket alpha.sock has the mode 0666

  Scenario: A socket that a killed agent left is replaced
    Given agent alpha with
      | --http-socket | {folder}/alpha.sock |
    When alpha is killed
    Then the socket alpha.sock is there
    When alpha starts again
    And I GET /v1/nodes by the socket alpha.sock
    Then the answer is 200
    And alpha's log says "a socket that nobody serves any more is replaced" once

  Scenario: What is no socket, or another program's, stays
    Given a file precious
      """
      data
      """
    And another program serves the socket other.sock
    When alpha is started in vain with
      | --http-socket | {folder}/precious |
    Then it exits with 1
    And it complains "something is there that is no socket; remove it, or name another path with --http-socket"
    And the file precious has
      | data |
    When beta is started in vain with
      | --http-socket | {folder}/other.sock |
    Then it exits with 1
    And it complains "another program serves this socket"
    When gamma is started in vain with
      | --http-socket | {folder}/nowhere/gamma.sock |
    Then it exits with 1
    And it complains "the folder is not there; make it, or name another one with --http-socket"

  Scenario: The socket alone
    Given agent alpha with
      | --http        | none                |
      | --http-socket | {folder}/alpha.sock |
    When I run `tidings members --agent {alpha}:8780`
    Then it exits with 3
    When I GET /v1/agent by the socket alpha.sock
    Then the answer is 200 with
      | /http | null |
    When beta is started in vain with
      | --http | none |
    Then it exits with 2
    And it complains "none leaves no way to ask this agent: say where with --http-socket PATH"

  Scenario: Where programs on the host need a token, they need it at the socket, too
    Given agent alpha with
      | --http-socket | {folder}/alpha.sock |
      | --http-local  | token               |
      | --http-reads  | token               |
    When I GET /v1/nodes by the socket alpha.sock
    Then the answer is the problem /problems/token-needed with status 401

  Scenario: The file says where it is, and who may use it
    Given alpha's configuration file
      """
      [http]
      socket = "{folder}/alpha.sock"
      socket_mode = "0660"
      """
    And an agent alpha
    Then the socket alpha.sock has the mode 0660

  Scenario: The environment says where it is, and who may use it
    Given alpha's environment
      | TIDINGS_HTTP_SOCKET      | {folder}/alpha.sock |
      | TIDINGS_HTTP_SOCKET_MODE | 0640                |
    And an agent alpha
    Then the socket alpha.sock has the mode 0640

  @namespaces
  Scenario: By the socket no token is needed, and from the network one is, which is not safe without TLS
    Given hosts alpha and beta with IPv4
    And a file tokens.toml
      """
      [[token]]
      name = "operator"
      hash = "sha256:06e55b633481f7bb072957eabcf110c972e86691c3cfedabe088024bffe42f23"
      scopes = ["operate"]
      """
    And agent alpha with
      | --http        | 0.0.0.0:8780         |
      | --http-socket | {folder}/alpha.sock  |
      | --token-file  | {folder}/tokens.toml |
    And an agent beta
    Then alpha's log says "tokens travel in the clear" once
    When I run `tidings maintenance on --reason x --agent unix:{folder}/alpha.sock` beside alpha
    Then it exits with 0
    When I run `tidings maintenance off --agent http://{alpha}:8780` beside beta
    Then it exits with 1
    And it complains "this needs the scope operate: send a token that has it"
    When I run `tidings maintenance off --agent http://{alpha}:8780` beside beta with TIDINGS_TOKEN=operator
    Then it exits with 0
