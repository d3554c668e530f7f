"""Asks the agent on this host, with dnspython. Reads lines of `NAME TYPE`, and prints what there is for each."""

import sys

import dns.resolver

resolver = dns.resolver.Resolver(configure=False)
resolver.nameservers = ["127.0.0.1"]
resolver.port = 8753

for line in sys.stdin:
    name, kind = line.split()
    try:
        print(*(record.to_text() for record in resolver.resolve(name, kind)), sep="\t", flush=True)
    except dns.resolver.NoAnswer:
        print("NODATA", flush=True)
    except dns.resolver.NXDOMAIN:
        print("NXDOMAIN", flush=True)
