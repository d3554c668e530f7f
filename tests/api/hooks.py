"""What no schema can say of requests, said to schemathesis: it would take the agent's refusals for mistakes.

Valid requests are sent where something is (the fixtures of run.py) every other time, and are kept from contradicting
themselves. Invalid requests are sent as they were made.
"""

import copy
import zlib

import schemathesis
from hypothesis import strategies as st

# Durations. Their patterns are those of the document; how long they may be is none of JSON Schema's words.
schemathesis.openapi.format("check-duration", st.sampled_from(["100ms", "1s 500ms", "10s", "1m 30s", "24h"]))
schemathesis.openapi.format("duration-text", st.sampled_from(["0s", "100ms", "1m30s", "1h 1ms", "999h"]))
# Their pattern is beyond the generator for header fields.
schemathesis.openapi.format("entity-tags", st.sampled_from(["*", '"a"', 'W/"a"', '"a, b" , W/"c"', '""', ', "a"']))
# The first is not above the last.
schemathesis.openapi.format(
    "status-range", st.tuples(st.integers(100, 599), st.integers(100, 599)).map(lambda pair: f"{min(pair)}-{max(pair)}")
)

KNOWN = {"id": ["web-1"], "check": ["beat", "port"], "node": ["alpha", "beta"], "service": ["web"]}


@schemathesis.hook
def map_case(context, case):
    # Parts are shared with other cases.
    case.path_parameters, case.query, case.headers, case.body = copy.deepcopy(
        (case.path_parameters, case.query, case.headers, case.body)
    )
    keep_from_waiting(case)
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    if case.method in ("PUT", "DELETE") and case.operation.path == "/v1/agent/instances/{id}":
        aim(case, {"id": ["web-2", "web-3"]})
    else:
        aim(case, KNOWN)
    agree_in_query(case)
    if isinstance(case.body, dict):
        agree_in_body(case)
    return case


def draw(value, among):
    """One of some, by a hash: the same in each run with the same seed."""
    return among[zlib.crc32(repr(value).encode()) % len(among)]


def aim(case, known):
    for name, value in list((case.path_parameters or {}).items()):
        if name in known:
            case.path_parameters[name] = draw(value, [value, *known[name] * 3])


def keep_from_waiting(case):
    """A read that the agent is to answer when something changes would wait for minutes. One second shows as much."""
    headers = case.headers or {}
    for name in list(headers):
        if name.lower() == "prefer":
            headers[name] = draw(headers[name], ["wait=0", "wait=0", "wait=1", headers[name].replace("wait", "weight")])


def agree_in_query(case):
    query = case.query or {}
    if "pick" in query:
        # "pick gives no pages"
        query.pop("limit", None)
        query.pop("cursor", None)
    if case.operation.path == "/v1/events" and "service" in query:
        # What is of a service are instances.
        query.pop("kind", None)


def agree_in_body(case):
    body = case.body
    if "id" in body:
        body["id"] = (case.path_parameters or {}).get("id", body["id"])
    # Tags that differ in case only are one.
    if isinstance(body.get("tags"), list):
        body["tags"] = list({tag.lower(): tag for tag in body["tags"]}.values())
    for index, check in enumerate(body.get("checks") or []):
        if isinstance(check, dict):
            check["id"] = f"{check['id'][:50]}{index}"
    # Octets are limited, and JSON Schema counts characters.
    for field, most in (("output", 4096), ("reason", 200)):
        if field in body:
            body[field] = cut(body[field], most)
    if isinstance(body.get("meta"), dict):
        body["meta"] = {key: cut(value, 512) for key, value in body["meta"].items()}


def cut(text, most):
    return text.encode()[:most].decode(errors="ignore")
