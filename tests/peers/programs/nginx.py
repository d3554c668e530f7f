"""nginx, as Debian sets it up, with the documented file beside what it has there."""

import socket

from daemon import Daemon, first_line, install
from hosts import HOSTS, until
from proxying import becomes, proxies, who_answers

PACKAGES = ["nginx-light"]
PLACE, URL = ("127.0.0.1", 8001), "http://127.0.0.1:8001/"


def run(report, site):
    report.note(first_line("nginx", "-v"))
    install("nginx/tidings.conf", "/etc/nginx/conf.d/tidings.conf")
    with Daemon(["nginx", "-g", "daemon off;"], listens):
        proxies(report, site, URL)
        site.stop("alpha")
        until("while there is no agent nobody gets any", lambda: who_answers(URL, 1) == set())
        site.start("alpha")
        becomes(report, URL, "an agent that was away is found again", {*HOSTS})


def listens():
    with socket.socket() as tried:
        return tried.connect_ex(PLACE) == 0
