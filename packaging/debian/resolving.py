#!/usr/bin/env python3
"""A client that resolves names of services by getaddrinfo, ten times a second each, until it is told to stop.

    resolving.py TALLY SERVICE...      writes what it counted to the file TALLY when there is a file TALLY.stop
    resolving.py --once SERVICE        resolves once, and prints `answered`, `empty`, `unanswered` or `other`

`empty` is an answer that the name does not exist, or has no address. `unanswered` is that no server answered, or all said that they can't tell.
"""

import os
import socket
import sys
import threading
import time
from collections import Counter

EVERY = 0.1
OUTCOMES = ("answered", "empty", "unanswered", "other")


def resolve(service):
    try:
        socket.getaddrinfo(service + ".service.tidings.internal", 80, type=socket.SOCK_STREAM)
        return "answered"
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            return "empty"
        return "unanswered" if error.errno == socket.EAI_AGAIN else "other"


class Client(threading.Thread):
    def __init__(self, service, stopped):
        super().__init__()
        self.service, self.stopped = service, stopped
        self.counts = Counter()
        # The longest time from one right answer to the next, and the longest that one question took, in seconds.
        self.longest_gap = self.slowest = 0.0

    def run(self):
        last = time.monotonic()
        while not self.stopped.is_set():
            begun = time.monotonic()
            outcome = resolve(self.service)
            now = time.monotonic()
            self.counts[outcome] += 1
            self.slowest = max(self.slowest, now - begun)
            if outcome == "answered":
                self.longest_gap, last = max(self.longest_gap, now - last), now
            self.stopped.wait(max(0.0, begun + EVERY - now))
        self.longest_gap = max(self.longest_gap, time.monotonic() - last)


def main():
    if sys.argv[1] == "--once":
        outcome = resolve(sys.argv[2])
        print(outcome)
        sys.exit(0 if outcome == "answered" else 1)
    path, services = sys.argv[1], sys.argv[2:]
    stopped = threading.Event()
    clients = [Client(service, stopped) for service in services]
    for client in clients:
        client.start()
    while not os.path.exists(path + ".stop"):
        time.sleep(0.05)
    stopped.set()
    for client in clients:
        client.join()
    lines = [f"{outcome}: {sum(client.counts[outcome] for client in clients)}" for outcome in OUTCOMES]
    lines += [f"longest without an answer for {client.service}: {client.longest_gap:.2f} s" for client in clients]
    lines.append(f"slowest: {max(client.slowest for client in clients):.2f} s")
    with open(path + ".new", "w") as file:
        file.write("\n".join(lines) + "\n")
    os.rename(path + ".new", path)


if __name__ == "__main__":
    main()
