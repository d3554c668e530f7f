"""BIND, as Debian sets it up, with the documented files in place of those that are there for it."""

import subprocess

import wire
from daemon import Daemon, first_line, install
from forwarding import forwards
from hosts import CROWD, DOMAIN

PACKAGES = ["bind9", "dns-root-data"]
SERVER = ("127.0.0.1", 53)


def run(report, site):
    report.note(first_line("named", "-v"))
    install("bind/named.conf.local", "/etc/bind/named.conf.local")
    install("bind/named.conf.options", "/etc/bind/named.conf.options")
    subprocess.run(["named-checkconf"], check=True)
    with Daemon(["named", "-f", "-u", "bind"], lambda: wire.answers(SERVER)):
        # The other name server does not sign.
        subprocess.run(["rndc", "nta", "-force", "example.com"], check=True, stdout=subprocess.DEVNULL)
        forwards(report, site, SERVER)
        answer = wire.tcp(SERVER, wire.question(f"crowd.service.{DOMAIN}", "SRV"))
        report.equal("sets of more than 100 records come through", CROWD, len(wire.records(answer, "SRV")))
