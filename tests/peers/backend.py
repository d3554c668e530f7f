"""A service that says which host it is on, and whether it is well."""

import http.server
import socket
import socketserver
import threading


class Backend:
    """Answers on all its addresses until the process ends. While it is not `well`, only its health check says so."""

    def __init__(self, name, addresses, port):
        self.well = True
        for address in addresses:
            server = Server((address, port), lambda *args: Handler(self, name, *args))
            threading.Thread(target=server.serve_forever, daemon=True).start()


class Server(socketserver.ThreadingTCPServer):
    # Not the server of `http.server`, which looks up the name of its own address first.
    daemon_threads = allow_reuse_address = True

    def __init__(self, address, handler):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, handler)

    def handle_error(self, *_):
        """Who only looks whether the port is open goes away without a word."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, backend, name, *args):
        self.backend, self.name = backend, name
        super().__init__(*args)

    def do_GET(self):
        sick = self.path == "/health" and not self.backend.well
        body = self.name.encode()
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
