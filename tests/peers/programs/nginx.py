"""nginx, as Debian sets it up, with the documented file beside what it has there."""

import socket

from daemon import Daemon, first_line, install
from proxying import proxies

PACKAGES = ["nginx-light"]
PLACE = ("127.0.0.1", 8001)


def run(report, site):
    report.note(first_line("nginx", "-v"))
    install("nginx/tidings.conf", "/etc/nginx/conf.d/tidings.conf")
    with Daemon(["nginx", "-g", "daemon off;"], listens):
        proxies(report, site, f"http://{PLACE[0]}:{PLACE[1]}/")


def listens():
    with socket.socket() as tried:
        return tried.connect_ex(PLACE) == 0
