Feature: A description of the API for programs
  Each agent serves its API as OpenAPI 3.1: for generators of clients, for editors, and for tests.

  Scenario: The document has all that the agent serves
    Given an agent alpha
    When I GET /v1/openapi.json at alpha
    Then the answer is 200 with
      | /openapi                                                                       | 3.1.0     |
      | /paths/~1v1~1nodes/get/operationId                                             | listNodes |
      | /paths/~1v1~1agent~1leave/post/responses/403/content/application~1problem+json | (present) |
      | /components/schemas/NewDefinition/properties/tags/maxItems                     | 32        |
    And it describes every route that GET /v1 at alpha lists, and no other
    And its version is that of the agent alpha

  Scenario: The document is a read like all others
    Given an agent alpha
    When I GET /v1/openapi.json at alpha
    And I note its header ETag
    And I GET /v1/openapi.json at alpha with the header If-None-Match: {noted}
    Then the answer is 304
    When I HEAD /v1/openapi.json at alpha
    Then the answer is 200
    And its body is empty
