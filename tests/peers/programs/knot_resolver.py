"""Knot Resolver, as Debian sets it up, with the documented lines behind what it has there."""

import pathlib

import wire
from daemon import DOCS, Daemon, first_line
from forwarding import forwards
from hosts import NAME_SERVER

PACKAGES = ["knot-resolver"]
SERVER = ("127.0.0.1", 53)
CONFIGURATION = pathlib.Path("/etc/knot-resolver/kresd.conf")


def run(report, site):
    report.note(first_line("kresd", "--version"))
    with CONFIGURATION.open("a") as configuration:
        configuration.write((DOCS / "knot-resolver/tidings.conf").read_text())
        configuration.write(f"policy.add(policy.all(policy.STUB('{NAME_SERVER}')))\n")
    before = next(pathlib.Path("/usr/lib").glob("*/knot-resolver/distro-preconfig.lua"))
    pathlib.Path("/run/knot-resolver/control").mkdir(parents=True, exist_ok=True)
    with Daemon(["kresd", "-c", str(before), "-c", str(CONFIGURATION), "-n"], lambda: wire.answers(SERVER)):
        forwards(report, site, SERVER)
