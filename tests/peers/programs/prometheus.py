"""Prometheus with the documented file as its whole configuration, by way of dnsmasq."""

import json
import pathlib
import tempfile
import urllib.request

from daemon import Daemon, first_line, install
from hosts import HOSTS, WEB_PORT, target, until, v6
from programs import dnsmasq

PACKAGES = [*dnsmasq.PACKAGES, "prometheus"]
CONFIGURATION = "/etc/prometheus/prometheus.yml"
URL = "http://127.0.0.1:9090/api/v1/targets?state=active"


def run(report, site):
    report.note(first_line("prometheus", "--version"))
    install("prometheus/prometheus.yml", CONFIGURATION)
    pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    dnsmasq.set_up()
    with tempfile.TemporaryDirectory() as folder, dnsmasq.start():
        command = ["prometheus", f"--config.file={CONFIGURATION}", f"--storage.tsdb.path={folder}"]
        with Daemon(command, lambda: scraped() is not None):
            becomes(report, "all instances are scraped", HOSTS)
            site.fail("gamma")
            becomes(report, "one that is critical is not", ["alpha", "beta"])


def becomes(report, claim, hosts):
    """Soon what these hosts have is scraped, and nothing else."""
    addresses = [address for host in hosts for address in (HOSTS[host][0], v6(HOSTS[host][0]))]
    expected = {f"{target(address)}:{WEB_PORT}" for address in addresses}
    try:
        until(claim, lambda: scraped() == expected)
    except TimeoutError:
        pass
    report.equal(claim, expected, scraped())


def scraped():
    """Names and ports that are scraped; nothing while it does not answer."""
    try:
        with urllib.request.urlopen(URL, timeout=5) as answer:
            targets = json.load(answer)["data"]["activeTargets"]
    except OSError:
        return None
    return {one["discoveredLabels"]["__address__"].replace(".:", ":") for one in targets}
