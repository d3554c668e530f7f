"""Asks an agent to leave, first so that it refuses, and holds each answer against its document."""

import sys

import schemathesis

operation = schemathesis.openapi.from_url(f"{sys.argv[1]}/v1/openapi.json")["/v1/agent/leave"]["POST"]


def leave(status, **parts):
    case = operation.Case(**parts)
    response = case.call()
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    case.validate_response(response)


leave(400, query={"colour": "red"})
leave(403, headers={"Origin": "https://evil.example"})
leave(421, headers={"Host": "evil.example"})
leave(200)
