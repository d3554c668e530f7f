"""The resolvers of C libraries, which most programs use: glibc straight at an agent, glibc, musl and Java by way of dnsmasq."""

import contextlib
import pathlib
import subprocess
import tempfile

import claims
from daemon import DOCS, Lines, first_line, install
from elsewhere import ADDRESS, NAME
from lookup import found
from programs import dnsmasq

PACKAGES = [*dnsmasq.PACKAGES, "gcc", "libc6-dev", "musl-tools", "default-jdk-headless"]
SOURCE = DOCS / "libc/lookup.c"
ADDRESSES = ("A", "AAAA")


def run(report, site):
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as until_the_end:
        for compiler in ("gcc", "musl-gcc"):
            subprocess.run([compiler, "-static" if compiler == "musl-gcc" else "-O", "-o", f"{folder}/{compiler}", SOURCE], check=True)
        subprocess.run(["javac", "-d", folder, DOCS / "java/SystemLookup.java"], check=True)
        pathlib.Path("/etc/nsswitch.conf").write_text("hosts: files dns\n")
        glibc, musl, java = [f"{folder}/gcc"], [f"{folder}/musl-gcc"], ["java", "-cp", folder, "SystemLookup"]

        report.begin("glibc")
        report.note(first_line("ldd", "--version"))
        install("libc/resolv.conf", "/etc/resolv.conf")
        site.start("delta", "--dns", "127.0.0.1:53")
        looks_up(report, site, glibc)
        site.stop("delta")

        pathlib.Path("/etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        dnsmasq.set_up()
        until_the_end.enter_context(dnsmasq.start())
        for name, version, command in [
            ("glibc by way of dnsmasq", ["ldd", "--version"], glibc),
            ("musl by way of dnsmasq", ["dpkg-query", "-W", "musl"], musl),
            ("Java, InetAddress, by way of dnsmasq", ["java", "-version"], java),
        ]:
            report.begin(name)
            report.note(first_line(*version))
            looks_up(report, site, command)


def looks_up(report, site, command):
    with Lines(command) as program:
        claims.look_ups(report, site, program.look, kinds=ADDRESSES, tells_why=False)
        report.equal("other names are found", found([ADDRESS]), program.look(NAME, "A"))
