"""systemd-resolved, with a bus of its own, the documented file, and a device that has the site's name server."""

import pathlib
import subprocess

import claims
import wire
from daemon import Daemon, first_line, install
from forwarding import forwards
from hosts import DOMAIN, NAME_SERVER, WEB_PORT

PACKAGES = ["systemd-resolved", "dbus-daemon"]
SERVER = ("127.0.0.53", 53)
CONFIGURATION = pathlib.Path("/etc/systemd/resolved.conf.d")
BUS = pathlib.Path("/run/dbus/system_bus_socket")
RUN = pathlib.Path("/run/systemd/resolve")
# What the service manager leaves to it.
RIGHTS = "+net_raw,+net_bind_service,+setpcap"
AS_USER = ["setpriv", "--reuid=systemd-resolve", "--regid=systemd-resolve", "--clear-groups", f"--inh-caps={RIGHTS}", f"--ambient-caps={RIGHTS}"]


def run(report, site):
    report.note(first_line("resolvectl", "--version"))
    install("systemd-resolved/tidings.conf", CONFIGURATION / "tidings.conf")
    for folder in (BUS.parent, RUN):
        folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["chown", "systemd-resolve:systemd-resolve", RUN], check=True)
    with Daemon(["dbus-daemon", "--system", "--nofork", "--nopidfile"], BUS.exists), start():
        # As networkd or NetworkManager do from what DHCP told them.
        subprocess.run(["resolvectl", "dns", "eth0", NAME_SERVER], check=True)
        subprocess.run(["resolvectl", "domain", "eth0", "~."], check=True)
        forwards(report, site, SERVER)
        told = subprocess.run(["resolvectl", "service", f"_web._tcp.service.{DOMAIN}"], capture_output=True, text=True).stdout
        report.equal("resolvectl service finds all ports and addresses", 6, told.count(f":{WEB_PORT} "))
    report.begin("systemd-resolved, strict")
    (CONFIGURATION / "strict.conf").write_text("[Resolve]\nDNSSEC=yes\n")
    with start():
        claims.look_ups(report, site, wire.asker(SERVER))


def start():
    return Daemon([*AS_USER, "/lib/systemd/systemd-resolved"], lambda: wire.answers(SERVER))
