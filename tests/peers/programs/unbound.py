"""unbound, as Debian sets it up, with the documented file beside what it has there."""

import pathlib
import re
import subprocess

import claims
import wire
from daemon import Daemon, first_line, install
from elsewhere import NAME
from forwarding import forwards, reverse
from hosts import DOMAIN, NAME_SERVER, ask

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
    install("unbound/reverse.conf", FOLDER / "tidings-reverse.conf")
    with start():
        forwards(report, site, SERVER)
        reverse(report, SERVER)
    report.begin("unbound, strict")
    (FOLDER / "strict.conf").write_text(STRICT)
    with start():
        look = wire.asker(SERVER)
        claims.look_ups(report, site, look)
        # That it does what it was told to do.
        look(NAME, "A")
        report.holds("it asks in a case of its own (0x20)", any(name != name.lower() for name in site.elsewhere.asked))
        before = without_addresses()
        look(f"_web._tcp.service.{DOMAIN}", "SRV")
        report.holds("it asks for what is above a name first (QNAME minimisation)", without_addresses() > before)


def without_addresses():
    """Questions to the agent for the address of a name that has none."""
    metrics = ask("GET", "alpha", "/metrics")[1].decode()
    return int(re.search(r'^tidings_dns_queries_total{type="A",result="nodata"} (\d+)', metrics, re.MULTILINE)[1])


def start():
    return Daemon(["unbound", "-d", "-d", "-p"], lambda: wire.answers(SERVER))
