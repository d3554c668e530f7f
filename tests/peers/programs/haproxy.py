"""HAProxy with the documented file as its whole configuration."""

import pathlib
import re
import socket

from daemon import Daemon, first_line, install
from hosts import HOSTS, MANY, until
from proxying import becomes, proxies, who_answers

PACKAGES = ["haproxy"]
CONFIGURATION = pathlib.Path("/etc/haproxy/haproxy.cfg")
STATS, URL = "/run/haproxy.sock", "http://127.0.0.1:8000/"


def run(report, site):
    report.note(first_line("haproxy", "-v"))
    install("haproxy/haproxy.cfg", CONFIGURATION)
    with start():
        proxies(report, site, URL)
        site.stop("alpha")
        until("it has asked in vain for a while", lambda: unanswered() > 8)
        report.equal("while there is no agent nobody is given up", {*HOSTS}, who_answers(URL))
        site.start("alpha")
        site.fail("gamma")
        becomes(report, URL, "an agent that was away is found again", {*HOSTS} - {"gamma"})
        site.heal()
    CONFIGURATION.write_text(CONFIGURATION.read_text().replace("_web._tcp", "_many._tcp"))
    with start():
        try:
            until("all have a place", lambda: len(servers()) >= MANY)
        except TimeoutError:
            pass
        report.equal(f"{MANY} instances have a place each", MANY, len(servers()))


def start():
    return Daemon(["haproxy", "-db", "-f", str(CONFIGURATION)], lambda: told("show info") != "")


def unanswered():
    """Questions without an answer."""
    counted = dict(re.findall(r"(\w+): +(\d+)", told("show resolvers tidings")))
    return int(counted["sent"]) - int(counted["valid"])


def servers():
    """The addresses that it has for its places."""
    rows = [line.split() for line in told("show servers state").splitlines()]
    return {row[4] for row in rows if len(row) > 5 and row[1] == "web" and row[4] != "-"}


def told(command):
    """What it says to a command; nothing while it does not answer."""
    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(STATS)
            asked.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: asked.recv(65536), b"")).decode()
        except OSError:
            return ""
