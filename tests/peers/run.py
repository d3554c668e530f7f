#!/usr/bin/env python3
"""Looks names up at real agents through the programs that people use, set up by the files of docs/dns.

    tests/peers/run.py [--fast] [PROGRAM...]

It needs root, apt-get for the programs, Python 3.10 or later, and PyPI the first time: what it uses of that is installed into
target/peers/venv. All of it happens on a machine that is thrown away (machine.sh). TIDINGS_BIN runs it against another build. What
could not be tried is named with the reason; the last line is `N passed, N failed`.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "peers"
PROGRAM = os.environ.get("TIDINGS_BIN") or ROOT / "target" / "debug" / "tidings"
# In the order in which they are tried. Those of the first line are installed in seconds.
FAST = ["tools", "dnsmasq", "unbound"]
SLOW = ["bind", "knot_resolver", "powerdns", "resolved", "libc", "libraries", "haproxy", "nginx", "prometheus"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--fast", action="store_true", help=f"only {', '.join(FAST)}")
    arguments.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"only these of {', '.join(FAST + SLOW)}")
    chosen = arguments.parse_args()
    names = chosen.programs or (FAST if chosen.fast else FAST + SLOW)
    reason = impossible()
    if reason:
        print(*(f"not tried: {name}: {reason}" for name in names), "0 passed, 0 failed", sep="\n")
        return 0
    if "TIDINGS_BIN" not in os.environ:
        subprocess.run(["cargo", "build", "--locked"], cwd=ROOT, check=True)
    python = install()
    shutil.copy(PROGRAM, WORK / "tidings")
    packages = subprocess.run([python, "-B", HERE / "inside.py", "--packages", *names], check=True, capture_output=True, text=True).stdout
    path = f"PATH={WORK}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    inside = ["env", path, python, "-B", HERE / "inside.py", *names]
    return subprocess.run([HERE / "machine.sh", ROOT, packages.strip(), *inside]).returncode


def impossible():
    """Why no machine can be made here; nothing where one can."""
    if os.geteuid() != 0:
        return "only root can make namespaces"
    for program in ("unshare", "setpriv", "ip", "apt-get"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    trial = "mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r"
    tried = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", trial], capture_output=True, text=True)
    return f"no namespace with an overlay can be made: {tried.stderr.strip()}" if tried.returncode else None


def install():
    """The Python that has what is used, made where it is missing or of other versions."""
    venv, wanted = WORK / "venv", (HERE / "requirements.txt").read_text()
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"]
        subprocess.run(pip, check=True)
        stamp.write_text(wanted)
    return venv / "bin" / "python"


if __name__ == "__main__":
    WORK.mkdir(parents=True, exist_ok=True)
    sys.exit(main())
