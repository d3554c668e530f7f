"""dnsmasq, as Debian sets it up, with the documented file beside what it has there."""

import pathlib

import claims
import wire
from daemon import Daemon, first_line, install
from forwarding import forwards, reverse
from hosts import NAME_SERVER

PACKAGES = ["dnsmasq-base", "dnsmasq", "dns-root-data"]
SERVER = ("127.0.0.1", 53)
FOLDER = pathlib.Path("/etc/dnsmasq.d")
# A site's own file, and what careful sites say.
SITE = f"""
no-resolv
server={NAME_SERVER}
"""
STRICT = """
stop-dns-rebind
bogus-priv
domain-needed
dnssec
dnssec-check-unsigned
conf-file=/usr/share/dnsmasq-base/trust-anchors.conf
"""


def run(report, site):
    report.note(first_line("dnsmasq", "--version"))
    set_up()
    with start():
        forwards(report, site, SERVER)
        reverse(report, SERVER)
    report.begin("dnsmasq, strict")
    (FOLDER / "strict.conf").write_text(STRICT)
    with start():
        claims.look_ups(report, site, wire.asker(SERVER))


def set_up():
    (FOLDER / "site.conf").write_text(SITE)
    (FOLDER / "strict.conf").unlink(missing_ok=True)
    install("dnsmasq/tidings.conf", FOLDER / "tidings.conf")
    install("dnsmasq/reverse.conf", FOLDER / "tidings-reverse.conf")


def start():
    return Daemon(["dnsmasq", "--keep-in-foreground", "--log-facility=-", "--conf-dir=/etc/dnsmasq.d,*.conf"], lambda: wire.answers(SERVER))
