Feature: Access to the API
  Programs on the host of an agent may do everything, as long as nobody says otherwise. Who asks from elsewhere may read, and takes a token to write.
  A token allows what its scopes say: read, operate, or register: with the beginning of services' names behind it.

  Background:
    Given a file tokens.toml
      """
      [[token]]
      name = "reader"
      hash = "sha256:3d0941964aa3ebdcb00ccef58b1bb399f9f898465e9886d5aec7f31090a0fb30"
      scopes = ["read"]

      [[token]]
      name = "deploy"
      hash = "sha256:b7bd55c11b781b0ccc43aa6e57f9dadf0660e9d1d4e27e0979ee43a407d454ae"
      scopes = ["register:web"]

      [[token]]
      name = "operator"
      hash = "sha256:06e55b633481f7bb072957eabcf110c972e86691c3cfedabe088024bffe42f23"
      scopes = ["operate"]
      expires = "2999-01-01T00:00:00Z"

      [[token]]
      name = "former"
      hash = "sha256:2a36430635e7505479f0ba76c491f1fe2437373f986ed69009b82caf50907fca"
      scopes = ["operate"]
      expires = "2020-01-01T00:00:00Z"
      """

  Scenario: Programs on the host need no token, unless it is said
    Given agent alpha with
      | --token-file | {folder}/tokens.toml |
    When alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    Then the answer is 201
    Given agent beta with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
    When I PUT /v1/agent/maintenance at beta
      """
      {"reason": "x"}
      """
    Then the answer is the problem /problems/token-needed with status 401
    And its header WWW-Authenticate is Bearer realm="tidings"
    When I GET /v1/nodes at beta
    Then the answer is 200
    Given agent gamma with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
      | --http-reads | token                |
    When I GET /v1/nodes at gamma
    Then the answer is the problem /problems/token-needed with status 401
    When I GET /health/ready at gamma
    Then the answer is 200
    When I GET /v1/nodes at gamma with the header Authorization: Bearer reader
    Then the answer is 200

  Scenario Outline: A token allows what its scopes say
    Given agent alpha with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
    When I <method> <path> at alpha with the header Authorization: Bearer <token>
    Then the answer is <answer>

    Examples:
      | method | path                            | token  | answer                                               |
      | GET    | /v1/nodes                       | reader | 200                                                  |
      | DELETE | /v1/agent/maintenance           | reader | the problem /problems/scope-missing with status 403  |
      | GET    | /v1/agent/instances             | reader | the problem /problems/scope-missing with status 403  |
      | GET    | /v1/agent/instances             | deploy | 200                                                  |
      | DELETE | /v1/agent/maintenance           | deploy | the problem /problems/scope-missing with status 403  |
      | DELETE | /v1/agent/maintenance           | operator | 204                                                |
      | DELETE | /v1/agent/maintenance           | nobody | the problem /problems/invalid-token with status 401  |
      | DELETE | /v1/agent/maintenance           | former | the problem /problems/invalid-token with status 401  |

  Scenario: A token for some services registers those alone
    Given agent alpha with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
    And a file web.json
      """
      {"id": "web-1", "service": "webshop", "port": 8080}
      """
    And a file db.json
      """
      {"id": "db-1", "service": "db", "port": 5432}
      """
    When I run `tidings register {folder}/web.json` beside alpha
    Then it exits with 1
    And it complains "this needs the scope register: with the beginning of the service's name, or operate"
    When I run `tidings register {folder}/web.json` beside alpha with TIDINGS_TOKEN=deploy
    Then it exits with 0
    When I run `tidings register {folder}/db.json` beside alpha with TIDINGS_TOKEN=deploy
    Then it exits with 1
    And it complains "which the token "deploy" does not have"
    When I run `tidings deregister web-1` beside alpha with TIDINGS_TOKEN=deploy
    Then it exits with 0

  Scenario: Tokens are taken over at SIGHUP
    Given agent alpha with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
    When the file tokens.toml becomes
      """
      """
    And alpha receives SIGHUP
    Then alpha's log soon says "the configuration is reloaded"
    And GET /v1/nodes at alpha with the token reader is soon 401

  Scenario: A new token holds
    Given agent alpha with
      | --token-file | {folder}/tokens.toml |
      | --http-local | token                |
    When I run `tidings tokens generate --name ci --scope operate --scope register:web --days 30`
    Then it exits with 0
    And it prints
      | name = "ci"                        |
      | scopes = ["operate", "register:web"] |
    And it complains "the secret, which is not to be seen again: tidings_"
    And what it printed holds in tokens.toml once alpha receives SIGHUP

  Scenario: What is wrong with a file of tokens is told with its line
    Given a file wrong.toml
      """
      [[token]]
      name = "a"
      hash = "secret"
      scopes = ["write"]
      """
    When alpha is started in vain with
      | --token-file | {folder}/wrong.toml |
    Then it exits with 2
    And it complains "wrong.toml, line 3: hash: takes sha256: and 64 hexadecimal digits"
    And it complains "wrong.toml, line 4: scopes: "write" is no scope"

  Scenario: The environment says who needs a token
    Given alpha's environment
      | TIDINGS_TOKEN_FILE | {folder}/tokens.toml |
      | TIDINGS_HTTP_LOCAL | token                |
      | TIDINGS_HTTP_READS | token                |
    And an agent alpha
    When I GET /v1/nodes at alpha
    Then the answer is the problem /problems/token-needed with status 401

  Scenario: The file says who needs a token, and a file has the token of a command
    Given alpha's configuration file
      """
      [http]
      local = "token"
      reads = "token"
      token_file = "{folder}/tokens.toml"
      """
    And an agent alpha
    And a file secret
      """
      reader
      """
    When I run `tidings members` beside alpha
    Then it exits with 1
    And it complains "reading needs the scope read: send a token that has it"
    When I run `tidings members --token-file {folder}/secret` beside alpha
    Then it exits with 0
