"""HAProxy with the documented file as its whole configuration."""

import pathlib
import socket

import wire
from daemon import Daemon, first_line, install
from hosts import CROWD, MANY, until
from proxying import proxies

PACKAGES = ["haproxy"]
CONFIGURATION = pathlib.Path("/etc/haproxy/haproxy.cfg")
STATS = "/run/haproxy.sock"


def run(report, site):
    report.note(first_line("haproxy", "-v"))
    install("haproxy/haproxy.cfg", CONFIGURATION)
    with start():
        proxies(report, site, "http://127.0.0.1:8000/")
    CONFIGURATION.write_text(CONFIGURATION.read_text().replace("_web._tcp", "_many._tcp"))
    with start():
        try:
            until("all have a place", lambda: len(servers()) >= MANY)
        except TimeoutError:
            pass
        report.equal(f"{MANY} instances have a place each", MANY, len(servers()))


def start():
    return Daemon(["haproxy", "-db", "-f", str(CONFIGURATION)], lambda: pathlib.Path(STATS).is_socket() and servers() is not None)


def servers():
    """The addresses that it has for its places; nothing while it does not answer."""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(STATS)
            asked.sendall(b"show servers state\n")
            told = b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        except OSError:
            return None
    rows = [line.split() for line in told.splitlines()]
    return {row[4] for row in rows if len(row) > 5 and row[1] == "web" and row[4] != "-"}
