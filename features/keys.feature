Feature: Changing keys
  The keys of a running cluster are changed without a gap: each step is done everywhere before the next one, and every agent can be asked how far all of them are.
  No answer, no log and no error has a key in it.

  Background:
    Given a key file keys
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And a key file new
      """
      6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      """

  Scenario: A new key is generated
    When I run `tidings keys generate`
    Then it exits with 0
    And it printed a key

  Scenario: A key is changed everywhere, step by step, and nothing is missing from any answer
    Given a key file keys-of-beta
      """
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And agent alpha with
      | --key-file | {folder}/keys |
    And agent beta joins through alpha
      | --key-file | {folder}/keys-of-beta |
    And alpha registers
      | id    | service | port |
      | web-1 | web     | 8080 |
    And web.service.tidings.internal A at each of alpha and beta soon gives
      | {alpha} |
    When a client beside each of alpha and beta looks up web.service.tidings.internal A all the while
    And I run `tidings keys add {folder}/new` beside alpha
    Then it exits with 0
    And it prints
      | key 6 | decrypts from now on |
    When I run `tidings keys add {folder}/new` beside beta
    Then `tidings keys list --cluster` beside alpha soon remarks "all agents that are up hold 5 (292676d8), 6 (a974d6de), and encrypt with 5 (292676d8)"
    When I run `tidings keys use 6` beside alpha
    Then it exits with 0
    And it prints
      | key 6 encrypts from now on |
    And `tidings keys list --cluster` beside beta soon remarks "not all with the same"
    When I run `tidings keys use 6` beside beta
    Then `tidings keys list --cluster` beside alpha soon remarks "and encrypt with 6 (a974d6de)"
    When I run `tidings keys remove 5` beside alpha
    And I run `tidings keys remove 5` beside beta
    Then `tidings keys list --cluster` beside alpha soon remarks "all agents that are up hold 6 (a974d6de), and encrypt with 6 (a974d6de)"
    And the file keys has the key 6 alone
    When alpha registers
      | id    | service | port |
      | web-2 | web     | 8081 |
    Then GET /v1/instances?service=web at beta soon lists
      | node  | id    |
      | alpha | web-1 |
      | alpha | web-2 |
    And each client got these at each answer, and none got an empty one
      | {alpha} |
    When alpha is stopped by SIGTERM
    And alpha starts again
    Then beta soon sees alpha as alive

  Scenario: Keys are listed without what is secret of them
    Given agent alpha with
      | --key-file | {folder}/keys |
    When I run `tidings keys add {folder}/new` beside alpha
    And I run `tidings keys list` beside alpha
    Then it prints
      | 5 | 292676d8 | yes |
      | 6 | a974d6de | no  |
    When I GET /v1/agent/keys at alpha
    Then the answer is 200 with
      | /mode              | require  |
      | /keys/0/id          | 5        |
      | /keys/0/fingerprint | 292676d8 |
      | /keys/0/primary     | true     |
      | /keys/1/id          | 6        |
    And the answer does not say "paWl"
    When I run `tidings keys list --cluster --json` beside alpha
    Then it exits with 0

  Scenario: What would leave messages without their key is refused
    Given agent alpha with
      | --key-file | {folder}/keys |
    When I run `tidings keys remove 5` beside alpha
    Then it exits with 1
    And it complains "key 5 is the one that encrypts: have another one do that first"
    When I DELETE /v1/agent/keys/5 at alpha
    Then the answer is the problem /problems/key-conflict with status 409
    When I DELETE /v1/agent/keys/7 at alpha
    Then the answer is the problem /problems/no-such-key with status 404
    When I run `tidings keys use 7` beside alpha
    Then it complains "there is no key 7 here"
    When I PUT /v1/agent/keys/7/primary at alpha
    Then the answer is the problem /problems/no-such-key with status 404
    When I DELETE /v1/agent/keys/300 at alpha
    Then the answer is the problem /problems/invalid-name with status 400
    When I PUT /v1/agent/keys/5 at alpha
      """
      {"key": "5:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
      """
    Then the answer is the problem /problems/key-conflict with status 409
    When I PUT /v1/agent/keys/5 at alpha
      """
      {"key": "6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
      """
    Then the answer is the problem /problems/key-conflict with status 409
    And the answer does not say "AAAA"

  Scenario: An agent without a file of keys has none to change
    Given an agent alpha
    When I run `tidings keys add {folder}/new` beside alpha
    Then it exits with 1
    And it complains "this agent was started without a file of keys: name one with --key-file"
    When I PUT /v1/agent/keys/6 at alpha
      """
      {"key": "6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
      """
    Then the answer is the problem /problems/no-key-file with status 409
    When I run `tidings keys list` beside alpha
    Then it exits with 1
    And it complains "encryption is off"

  Scenario: A key that some program changed in the file is taken over by SIGHUP
    Given agent alpha with
      | --key-file | {folder}/keys |
    When the key file keys becomes
      """
      6:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      5:paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=
      """
    And alpha receives SIGHUP
    Then alpha's log soon says "encryption is require, with the keys [6, 5]"
