"""Resolvers that programs have in themselves, told to ask the agent, by the examples of docs/dns."""

import subprocess
import sys
import tempfile

import claims
from daemon import DOCS, Lines, first_line

PACKAGES = ["golang-go", "nodejs", "default-jdk-headless"]


def run(report, site):
    with tempfile.TemporaryDirectory() as folder:
        examples = [
            # What answers, its version, how it is made ready, and how it is run.
            ("dnspython", [sys.executable, "-c", "import dns; print(dns.version.version)"], [], [sys.executable, DOCS / "python/lookup.py"]),
            ("c-ares", [sys.executable, "-c", "import pycares; print(pycares.ARES_VERSION)"], [], [sys.executable, DOCS / "c-ares/lookup.py"]),
            ("Node.js", ["node", "--version"], [], ["node", DOCS / "node/lookup.mjs"]),
            ("Go", ["go", "version"], ["go", "build", "-o", f"{folder}/lookup", DOCS / "go/lookup.go"], [f"{folder}/lookup"]),
            ("Java, JNDI", ["java", "-version"], ["javac", "-d", folder, DOCS / "java/Lookup.java"], ["java", "-cp", folder, "Lookup"]),
        ]
        for name, version, prepare, command in examples:
            report.begin(name)
            report.note(first_line(*version))
            if prepare:
                subprocess.run(prepare, check=True)
            with Lines(command) as program:
                claims.look_ups(report, site, program.look, tells_why=name != "Go")
