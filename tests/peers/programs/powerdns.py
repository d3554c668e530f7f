"""The recursor of PowerDNS, as Debian sets it up, with the documented file and line beside what it has there."""

import pathlib

import wire
from daemon import DOCS, Daemon, first_line, install
from forwarding import forwards
from hosts import NAME_SERVER

PACKAGES = ["pdns-recursor", "dns-root-data", "publicsuffix"]
SERVER = ("127.0.0.1", 53)
FOLDER = pathlib.Path("/etc/powerdns/recursor.d")


def run(report, site):
    report.note(first_line("pdns_recursor", "--version"))
    install("powerdns-recursor/tidings.conf", FOLDER / "tidings.conf")
    (FOLDER / "site.conf").write_text(f"forward-zones-recurse=.={NAME_SERVER}\ndnssec=validate\n")
    with open("/etc/powerdns/recursor.lua", "a") as script:
        script.write((DOCS / "powerdns-recursor/recursor.lua").read_text())
        script.write('addNTA("example.com")\n')
    command = ["pdns_recursor", "--daemon=no", "--write-pid=no", "--disable-syslog", "--setuid=pdns", "--setgid=pdns"]
    pathlib.Path("/run/pdns-recursor").mkdir(exist_ok=True)
    with Daemon(command, lambda: wire.answers(SERVER)):
        forwards(report, site, SERVER)
