"""A worker that has no port to be asked at, so it says itself that it is well: a check with a ttl, and a heartbeat.

Who stops beating, because it hangs or was killed, is handed out no more when the ttl is over. Nothing but Python's own library is needed.
"""

import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request

AGENT = os.environ.get("TIDINGS_AGENT", "http://127.0.0.1:8780")
INSTANCE = f"{AGENT}/v1/agent/instances/worker-{os.getpid()}"
DEFINITION = {
    "service": "worker",
    "port": 9000,
    "tags": ["python"],
    "checks": [{"id": "beat", "ttl": "4s"}],
    # An instance that crashed is forgotten after an hour, since it comes back under another id.
    "deregister_after": "1h",
}


def ask(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.status


def end(*_):
    ask("DELETE", INSTANCE)
    sys.exit()


signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
registered = False
while True:
    try:
        if not registered:
            ask("PUT", INSTANCE, DEFINITION)
            registered = True
        # Here it would look whether it is well: "warning" lowers its share, "critical" takes it out.
        ask("PUT", f"{INSTANCE}/checks/beat/status", {"status": "passing", "output": "42 jobs done"})
    except urllib.error.HTTPError as refusal:
        # 404: somebody removed it. 4xx else: the text says what is wrong.
        print(refusal.read().decode(), file=sys.stderr)
        registered = False
    except OSError as error:
        # The agent is away for a moment, for an upgrade for example. It remembers what it was told.
        print(f"no agent: {error}", file=sys.stderr)
    time.sleep(1)
