"""A web service that registers itself with the agent beside it, by plain HTTP, and says goodbye when it ends."""

import http.server
import json
import signal
import sys
import threading
import time
import urllib.error
import urllib.request

NAME = sys.argv[1]
PORT = 8080
INSTANCE = f"http://127.0.0.1:8780/v1/agent/instances/{NAME}"
DEFINITION = {
    "service": "web",
    "port": PORT,
    # The agent asks this once a second, and hands the instance out while the answer is good.
    "checks": [{"id": "alive", "http": f"http://127.0.0.1:{PORT}/health", "interval": "1s", "timeout": "1s", "fall": 2}],
}


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok" if self.path == "/health" else NAME.encode())

    def log_message(self, *_):
        pass


def ask_agent(method, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(INSTANCE, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


def register():
    """Until the agent is there. It keeps what it is told, over restarts, too."""
    while True:
        try:
            print(f"{NAME} is registered ({ask_agent('PUT', DEFINITION)})")
            return
        except urllib.error.HTTPError as refusal:
            sys.exit(f"{NAME} is refused: {refusal.read().decode()}")
        except OSError as error:
            print(f"{NAME} waits for its agent: {error}")
            time.sleep(0.5)


def end(*_):
    # In a thread of its own: the server is not to wait for itself.
    threading.Thread(target=server.shutdown).start()


server = http.server.ThreadingHTTPServer(("", PORT), Web)
signal.signal(signal.SIGTERM, end)
threading.Thread(target=register, daemon=True).start()
server.serve_forever()
try:
    ask_agent("DELETE")
except OSError as error:
    print(f"{NAME} could not say goodbye: {error}")
