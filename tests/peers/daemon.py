"""Programs that run for a while."""

import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import time

from hosts import PATIENCE, read
from lookup import NODATA, NOTHING, NXDOMAIN, found, nothing

DOCS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "dns"


def install(document, place):
    """Puts a file of docs/dns where it says that it belongs."""
    place = pathlib.Path(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(DOCS / document, place)
    place.chmod(0o644)


class Daemon:
    """Runs in the foreground from when it is entered until it is left."""

    def __init__(self, command, ready):
        self.command, self.ready = command, ready

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile(suffix=".log")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + PATIENCE
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"{self.command[0]} does not answer:\n{self.said}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said = read(self.log.name)


class Lines:
    """A program that answers each line of `NAME TYPE` with a line: those of docs/dns do."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=lambda: [self.lines.put(line) for line in self.process.stdout], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def look(self, name, kind):
        self.process.stdin.write(f"{name} {kind}\n")
        try:
            line = self.lines.get(timeout=PATIENCE).strip()
        except queue.Empty:
            return nothing(f"no answer within {PATIENCE} s")
        if line in (NODATA, NXDOMAIN, NOTHING) or "\t" not in line and not any(c.isdigit() for c in line):
            return nothing(line)
        return found(line.split("\t"))


def first_line(*command):
    """The first line that a program says of itself, as it does for its version."""
    ended = subprocess.run(command, capture_output=True, text=True)
    return (ended.stdout + ended.stderr).splitlines()[0]
