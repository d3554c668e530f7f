#!/usr/bin/env python3
"""Holds a real agent against its own OpenAPI document, with valid and invalid requests for each operation.

    tests/api/run.py [--examples N] [--seed N]

It needs Python 3.10 or later, and PyPI the first time: what it uses is installed into target/api/venv. TIDINGS_BIN runs it
against another build of the program. Two agents run on loopback addresses; the last line is `N passed, N failed`.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "api"
PROGRAM = os.environ.get("TIDINGS_BIN") or ROOT / "target" / "debug" / "tidings"
# What an agent is waited for, and the whole of a run.
PATIENCE, LONGEST = 30, 1800


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--examples", type=int, default=25, help="random requests for each operation and kind, beside the systematic ones")
    arguments.add_argument("--seed", type=int, default=1, help="the same one gives the same requests")
    chosen = arguments.parse_args()
    if "TIDINGS_BIN" not in os.environ:
        subprocess.run(["cargo", "build", "--locked"], cwd=ROOT, check=True)
    tools = install()
    with tempfile.TemporaryDirectory(prefix="tidings-api-") as folder, Agents(pathlib.Path(folder)) as agents:
        url = agents.start("alpha")
        agents.start("beta", join="alpha")
        register_fixtures(url)
        outcomes = [
            valid_document(tools, url),
            *every_operation(tools, url, chosen),
            stays_whole(agents, url),
            *leaving(tools, agents),
        ]
    passed, failed = outcomes.count(True), outcomes.count(False)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed > 1 else 1


def install():
    """The folder of the programs that are used, made where it is missing or of other versions."""
    venv, wanted = WORK / "venv", (HERE / "requirements.txt").read_text()
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return venv / "bin"


class Agents:
    """Agents on loopback addresses that nobody else uses, until the end of the run."""

    def __init__(self, folder):
        self.folder, self.running, self.addresses = folder, {}, {}
        self.block = f"127.{random.randint(100, 250)}.{random.randint(1, 250)}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.running.values():
            process.kill()
            process.wait()

    def start(self, name, join=None):
        address = f"{self.block}.{len(self.addresses) + 1}"
        self.addresses[name] = address
        command = [PROGRAM, "agent", "--name", name, "--cluster", f"api-{os.getpid()}", "--data-dir", self.folder / name]
        command += ["--gossip", address, "--http", address, "--dns", address, "--zone", "rack-1"]
        if join:
            command += ["--join", self.addresses[join]]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDINGS_")}
        log = open(self.folder / f"{name}.log", "wb")
        self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        url = f"http://{address}:8780"
        until(f"{name} is ready", lambda: ask("GET", f"{url}/health/ready")[0] == 200)
        return url

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


def ask(method, url, body=None, headers=None):
    """Status and body of an answer; status 0 where there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def register_fixtures(url):
    """What valid requests are sent to, every other time: see hooks.py."""
    checks = [{"id": "beat", "ttl": "24h"}, {"id": "port", "tcp": "127.0.0.1:1", "interval": "1s"}]
    web = {"service": "web", "port": 80, "tags": ["v1"], "meta": {"git": "a1"}, "checks": checks}
    status, text = ask("PUT", f"{url}/v1/agent/instances/web-1", web)
    assert status == 201, text


def valid_document(tools, url):
    """By the schema of OpenAPI 3.1 itself."""
    document = WORK / "openapi.json"
    document.write_bytes(ask("GET", f"{url}/v1/openapi.json")[1])
    return report("the document is OpenAPI 3.1", run([tools / "openapi-spec-validator", "--schema", "3.1", document]))


def every_operation(tools, url, chosen):
    """True or false for each operation in each phase of schemathesis, which prints what it finds."""
    junit = WORK / "report.xml"
    junit.unlink(missing_ok=True)
    command = [tools / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", f"{url}/v1/openapi.json"]
    command += ["--max-examples", str(chosen.examples), "--seed", str(chosen.seed), "--report-junit-path", junit]
    ended = run(command, {"SCHEMATHESIS_HOOKS": str(HERE / "hooks.py")})
    cases = list(xml.parse(junit).iter("testcase")) if junit.exists() else []
    outcomes = [case.find("failure") is None and case.find("error") is None for case in cases if case.find("skipped") is None]
    # It may fail as a whole where no case does.
    return outcomes if ended == (False not in outcomes) else [*outcomes, report("schemathesis", ended)]


def stays_whole(agents, url):
    """After all that, the agent is the one that was started, and nothing in it panicked."""
    whole = ask("GET", f"{url}/health/ready")[0] == 200 and agents.running["alpha"].poll() is None
    return report("the agent is well", whole and "panicked" not in agents.log("alpha"))


def leaving(tools, agents):
    """`POST /v1/agent/leave` ends the agent, so it has one of its own and is asked by hand."""
    url = agents.start("gamma", join="alpha")
    script = [tools / "python", HERE / "leaving.py", url]
    answered = report("leaving answers as described", run(script))
    agents.running["gamma"].wait(PATIENCE)
    return [answered, report("who leaves ends in order", agents.running["gamma"].returncode == 0)]


def run(command, environment=None):
    return subprocess.run(command, cwd=WORK, env={**os.environ, **(environment or {})}, timeout=LONGEST).returncode == 0


def report(what, holds):
    print(f"{'passed' if holds else 'FAILED'}: {what}", flush=True)
    return holds


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    sys.exit(main())
