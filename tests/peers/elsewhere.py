"""The name server of the site: it knows `www.example.com`, and denies what it does not know, as those of sites do.

    elsewhere.py ADDRESS

It answers over UDP until its standard input ends, and prints each name that it is asked for.
"""

import os
import socketserver
import sys
import threading

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

NAME, ADDRESS = "www.example.com.", "192.0.2.80"


class Handler(socketserver.DatagramRequestHandler):
    def handle(self):
        query = dns.message.from_wire(self.rfile.read())
        print(query.question[0].name.to_text(), flush=True)
        self.wfile.write(answer(query).to_wire())


def answer(query):
    question = query.question[0]
    made = dns.message.make_response(query, recursion_available=True)
    if question.name.to_text().lower() != NAME:
        made.set_rcode(dns.rcode.NXDOMAIN)
    elif question.rdtype == dns.rdatatype.A:
        made.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", ADDRESS))
    return made


if __name__ == "__main__":
    server = socketserver.ThreadingUDPServer((sys.argv[1], 53), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    os._exit(0)
