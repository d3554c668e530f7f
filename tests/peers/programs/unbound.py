"""unbound, as Debian sets it up, with the documented file beside what it has there."""

import pathlib
import subprocess

import claims
import wire
from daemon import Daemon, first_line, install
from forwarding import forwards
from hosts import NAME_SERVER

PACKAGES = ["unbound", "dns-root-data"]
SERVER = ("127.0.0.1", 53)
FOLDER = pathlib.Path("/etc/unbound/unbound.conf.d")
# A site's own file.
SITE = f"""
server:
    # The other name server is on a private network, and does not sign.
    domain-insecure: "example.com"
forward-zone:
    name: "."
    forward-addr: {NAME_SERVER}
"""
# What sites say that are careful, or want answers at any price.
STRICT = """
server:
    qname-minimisation-strict: yes
    use-caps-for-id: yes
    harden-below-nxdomain: yes
    harden-referral-path: yes
    private-address: 10.0.0.0/8
    private-address: fd00::/8
    cache-min-ttl: 3600
    serve-expired: yes
    prefetch: yes
"""


def run(report, site):
    report.note(first_line("unbound", "-V"))
    # As its unit does: the root's key.
    subprocess.run(["/usr/libexec/unbound-helper", "root_trust_anchor_update"], check=True)
    (FOLDER / "site.conf").write_text(SITE)
    install("unbound/tidings.conf", FOLDER / "tidings.conf")
    with start():
        forwards(report, site, SERVER)
    report.begin("unbound, strict")
    (FOLDER / "strict.conf").write_text(STRICT)
    with start():
        claims.look_ups(report, site, wire.asker(SERVER))


def start():
    return Daemon(["unbound", "-d", "-d", "-p"], lambda: wire.answers(SERVER))
