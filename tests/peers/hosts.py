"""A site to look things up at: three agents with services on them, and a name server for all other names.

It stands on a machine that is thrown away (machine.sh), so that every program has the address that it has by default.
"""

import ipaddress
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from backend import Backend

HERE = pathlib.Path(__file__).resolve().parent
DOMAIN = "tidings.internal"
# The agent beside the programs answers at the addresses that agents have by default. The others are on hosts of their own as far as
# anybody can tell; their API and DNS are out of the way.
HOSTS = {"alpha": ("10.77.0.1", "127.0.0.1"), "beta": ("10.77.0.2", "127.0.0.2"), "gamma": ("10.77.0.3", "127.0.0.3")}
# One more agent, for those who need one at another port.
GUEST = ("10.77.0.4", "127.0.0.4")
# The name server for all other names, on a host of its own. The files of docs/dns have this address for it.
NAME_SERVER = "192.0.2.53"
# Instances of `many`, of which not all fit in a packet, and of `crowd`, more than BIND takes in one set unless told to.
MANY, CROWD = 45, 120
WEB_PORT = 8080
# What is waited for at most.
PATIENCE = 30


def v6(address):
    """The address of IPv6 of whoever has this one of IPv4."""
    return f"fd00:77::{address.rsplit('.', 1)[1]}"


def target(address):
    """The name that SRV records have for an address."""
    return f"{ipaddress.ip_address(address).packed.hex()}.addr.{DOMAIN}"


class Site:
    """Started when entered; whatever it started ends when it is left."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tidings-peers-")
        self.agents, self.backends, self.checks = {}, {}, 0

    def __enter__(self):
        self.elsewhere = Elsewhere()
        network(self.elsewhere.process.pid)
        self.elsewhere.begin()
        for name, (address, _) in HOSTS.items():
            self.backends[name] = Backend(name, [address, v6(address)], WEB_PORT)
        for name in HOSTS:
            self.start(name)
        self.register()
        return self

    def __exit__(self, *_):
        for agent in self.agents.values():
            agent.kill()
            agent.wait()

    def start(self, name, *flags):
        address, local = HOSTS.get(name) or GUEST
        command = ["tidings", "agent", "--name", name, "--data-dir", f"{self.folder.name}/{name}", "--gossip", address]
        if local != "127.0.0.1":
            command += ["--http", local, *([] if flags else ["--dns", local]), "--join", HOSTS["alpha"][0]]
        log = open(f"{self.folder.name}/{name}.log", "ab")
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TIDINGS_")}
        self.agents[name] = subprocess.Popen([*command, *flags], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        until(f"{name} is ready", lambda: ask("GET", name, "/health/ready")[0] == 200)

    def register(self):
        """`web` on each host, with tag `v1` on all but gamma; `many` and `crowd` on beta; `sick`, which is never healthy."""
        for name in HOSTS:
            self.register_web(name)
        for service, count in [("many", MANY), ("crowd", CROWD)]:
            for number in range(1, count + 1):
                put("beta", f"{service}-{number}", {"service": service, "port": 9000 + number, "addresses": [f"10.77.1.{number}"]})
        put("beta", "sick", {"service": "sick", "port": 80, "addresses": ["10.77.0.9"], "checks": [{"id": "beat", "ttl": "1h"}]})
        until("web is healthy", lambda: len(handed_out("web")) == len(HOSTS))
        until("all is known", lambda: len(handed_out("crowd")) == CROWD and len(handed_out("many")) == MANY)

    def register_web(self, name):
        """With a check by another name each time: a check that fails and recovers often is believed later and later."""
        address, self.checks = HOSTS[name][0], self.checks + 1
        check = {"id": f"alive-{self.checks}", "http": f"http://{address}:{WEB_PORT}/health", "interval": "200ms", "timeout": "1s"}
        tags = [] if name == "gamma" else ["v1"]
        put(name, "web", {"service": "web", "port": WEB_PORT, "addresses": [address, v6(address)], "tags": tags, "checks": [check]})

    def fail(self, name):
        """The back end on that host fails its check, and goes on answering: only who looks names up can know."""
        self.backends[name].well = False
        until(f"web on {name} is held back", lambda: name not in [item["node"] for item in handed_out("web")])

    def stop(self, name):
        self.agents[name].kill()
        self.agents[name].wait()

    def heal(self):
        """All is as at the beginning."""
        for name in HOSTS:
            if self.agents[name].poll() is not None:
                self.start(name)
        for name, backend in self.backends.items():
            if not backend.well:
                backend.well = True
                self.register_web(name)
        until("web is healthy", lambda: len(handed_out("web")) == len(HOSTS))


class Elsewhere:
    """The name server for all other names, in a network of its own."""

    def __init__(self):
        network = f"echo here; read _; ip link set lo up; exec {sys.executable} -B {HERE}/elsewhere.py {NAME_SERVER}"
        command = ["unshare", "--net", "sh", "-c", network]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.asked = []
        threading.Thread(target=lambda: [self.asked.append(line.strip()) for line in self.process.stdout], daemon=True).start()
        until("there is another network", lambda: "here" in self.asked)

    def begin(self):
        """Once its network is there."""
        self.process.stdin.write("\n")
        until("the name server answers", lambda: "ready" in self.asked)


def network(elsewhere):
    """Loopback, and a device with the addresses of all hosts, as programs expect of a host; at its other end the name server."""
    there = f"nsenter --net --target {elsewhere}"
    addresses = [f"{address}/24" for address, _ in [*HOSTS.values(), GUEST]] + [f"{v6(address)}/64" for address, _ in HOSTS.values()]
    script = [f"ip link add eth0 type veth peer name eth0 netns {elsewhere}", "ip link set lo up", "ip link set eth0 up"]
    script += [f"ip address add {address} dev eth0{' nodad' if ':' in address else ''}" for address in [*addresses, "192.0.2.1/24"]]
    script += [f"{there} ip link set eth0 up", f"{there} ip address add {NAME_SERVER}/24 dev eth0", f"ip route add default via {NAME_SERVER}"]
    subprocess.run(["sh", "-ec", "\n".join(script)], check=True)
    # A package may have made it a link.
    configured = pathlib.Path("/etc/resolv.conf")
    configured.unlink(missing_ok=True)
    configured.write_text(f"nameserver {NAME_SERVER}\n")


def ask(method, agent, path, body=None):
    """Status and body of an answer of that agent; status 0 where there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{(HOSTS.get(agent) or GUEST)[1]}:8780{path}", data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except OSError:
        return 0, b""


def put(agent, instance, definition):
    status, text = ask("PUT", agent, f"/v1/agent/instances/{instance}", definition)
    assert status in (200, 201), text


def handed_out(service):
    """The instances that the agent beside the programs hands out."""
    status, text = ask("GET", "alpha", f"/v1/instances?service={service}")
    return json.loads(text)["items"] if status == 200 else []


def until(what, holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


def read(path):
    return pathlib.Path(path).read_text(errors="replace")
