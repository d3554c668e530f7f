"""The resolvers of C libraries, which most programs use: straight at an agent that passes other names on, and by way of dnsmasq."""

import pathlib
import subprocess
import tempfile

import claims
from daemon import DOCS, Lines, first_line, install
from elsewhere import ADDRESS, NAME
from hosts import HOSTS, NAME_SERVER
from lookup import found
from programs import dnsmasq

PACKAGES = [*dnsmasq.PACKAGES, "gcc", "libc6-dev", "musl-tools", "default-jdk-headless"]
SOURCE = DOCS / "libc/lookup.c"
ADDRESSES = ("A", "AAAA")


def run(report, site):
    with tempfile.TemporaryDirectory() as folder:
        for compiler in ("gcc", "musl-gcc"):
            subprocess.run([compiler, "-static" if compiler == "musl-gcc" else "-O", "-o", f"{folder}/{compiler}", SOURCE], check=True)
        subprocess.run(["javac", "-d", folder, DOCS / "java/SystemLookup.java"], check=True)
        pathlib.Path("/etc/nsswitch.conf").write_text("hosts: files dns\n")
        glibc, musl, java = [f"{folder}/gcc"], [f"{folder}/musl-gcc"], ["java", "-cp", folder, "SystemLookup"]

        programs = [
            ("glibc", ["ldd", "--version"], glibc),
            ("musl", ["dpkg-query", "-W", "musl"], musl),
            ("Java, InetAddress", ["java", "-version"], java),
        ]
        install("libc/resolv.conf", "/etc/resolv.conf")
        site.start("delta", "--dns", "127.0.0.1:53", "--dns-upstream", NAME_SERVER)
        for name, version, command in programs:
            report.begin(name)
            report.note(first_line(*version))
            looks_up(report, site, command)
        report.begin("glibc, with a search list")
        with Lines(glibc) as program:
            report.equal("web", claims.expected("A", HOSTS), program.look("web", "A"))
            report.equal("v1.web", claims.expected("A", ["alpha", "beta"]), program.look("v1.web", "A"))
        site.stop("delta")

        pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        dnsmasq.set_up()
        with dnsmasq.start():
            for name, _, command in programs:
                report.begin(f"{name}, by way of dnsmasq")
                looks_up(report, site, command)


def looks_up(report, site, command):
    with Lines(command) as program:
        claims.look_ups(report, site, program.look, kinds=ADDRESSES, tells_why=False)
        report.equal("other names are found", found([ADDRESS]), program.look(NAME, "A"))
