"""A client that knows nothing of Tidings: it looks a name up as any program does (getaddrinfo), and asks whom it finds."""

import http.client
import socket
import time

NAME, PORT = "web.service.tidings.internal", 8080


def found():
    try:
        return sorted({entry[4][0] for entry in socket.getaddrinfo(NAME, PORT, type=socket.SOCK_STREAM)})
    except socket.gaierror:
        return []


def ask(address):
    connection = http.client.HTTPConnection(address, PORT, timeout=1)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    except OSError:
        return f"{address}-does-not-answer"
    finally:
        connection.close()


while True:
    names = sorted(ask(address) for address in found())
    print(f"{NAME}: {' '.join(names) or 'nobody'}", flush=True)
    time.sleep(0.5)
