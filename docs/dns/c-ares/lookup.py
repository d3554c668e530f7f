"""Asks the agent on this host, with c-ares through pycares. Reads lines of `NAME TYPE`, and prints what there is for each."""

import sys
import threading

import pycares

WHY = {pycares.errno.ARES_ENODATA: "NODATA", pycares.errno.ARES_ENOTFOUND: "NXDOMAIN"}
channel = pycares.Channel(servers=["127.0.0.1:8753"])


def text(data):
    if hasattr(data, "target"):
        return f"{data.priority} {data.weight} {data.port} {data.target}"
    return data.addr


for line in sys.stdin:
    name, kind = line.split()
    done = threading.Event()

    def answered(result, error):
        if error is None:
            print(*(text(record.data) for record in result.answer), sep="\t", flush=True)
        else:
            print(WHY.get(error, pycares.errno.strerror(error)), flush=True)
        done.set()

    channel.query(name, getattr(pycares, f"QUERY_TYPE_{kind}"), callback=answered)
    done.wait()
