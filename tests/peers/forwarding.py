"""What must hold of a program that passes names of the domain on to the agent and all others to another name server."""

import time

import dns.flags
import dns.reversename

import claims
import wire
from elsewhere import ADDRESS, NAME
from hosts import DOMAIN, HOSTS, MANY, PATIENCE, until
from lookup import found

# Questions that are asked while the agent is away, so that whoever remembers that it does not answer has something to remember.
MEANWHILE = 20


def forwards(report, site, server):
    """`server` is where the program is asked."""
    look = wire.asker(server)
    site.elsewhere.asked.clear()
    # First, so that whoever takes this for a reason to ask elsewhere is found out.
    report.equal("the domain has a name server", found([f"ns.{DOMAIN}"]), look(DOMAIN, "NS"))
    claims.look_ups(report, site, look)

    on_the_wire(report, server)
    report.equal("other names are asked elsewhere", found([ADDRESS]), look(NAME, "A"))
    returns(report, site, server)
    leaked = [asked for asked in site.elsewhere.asked if asked.lower().endswith(f"{DOMAIN}.")]
    report.equal("names of the domain are asked nowhere else", [], leaked)


def on_the_wire(report, server):
    """What clients rely on that look closely."""
    name = f"mAnY.sErViCe.{DOMAIN}."
    for what, edns in [("without EDNS", None), ("with 512 octets", 512)]:
        answer = wire.udp(server, wire.question(name, "SRV", edns))
        report.holds(f"what does not fit is truncated {what}", bool(answer.flags & dns.flags.TC), "TC", answer.to_text())
        report.holds(f"EDNS is answered by EDNS {what}", (answer.edns == 0) == (edns is not None), edns, answer.edns)
    answer = wire.tcp(server, wire.question(name, "SRV"))
    report.equal("over TCP there is all of it", MANY, len(wire.records(answer, "SRV")))
    report.equal("the question comes back in the case in which it was asked", name, answer.question[0].name.to_text())
    answer = wire.udp(server, wire.question(f"web.service.{DOMAIN}", "A"))
    report.equal("answers may not be kept", [0], [rrset.ttl for rrset in answer.answer])


def reverse(report, server):
    """Of a program that was told whose the reverse names are, too."""
    address = HOSTS["beta"][0]
    name = dns.reversename.from_address(address).to_text()
    report.equal(f"{address} has a name", found([f"beta.node.{DOMAIN}"]), wire.asker(server)(name, "PTR"))


def returns(report, site, server):
    """An agent that was away, as one that is upgraded, is found again."""
    site.stop("alpha")
    for _ in range(MEANWHILE):
        wire.answers(server)
    site.start("alpha")
    began = time.monotonic()
    try:
        until("it is found again", lambda: wire.answers(server))
    except TimeoutError:
        pass
    report.holds("an agent that was away is found again", wire.answers(server), "records", f"none for {PATIENCE} s")
    report.note(f"found again after {time.monotonic() - began:.1f} s")
