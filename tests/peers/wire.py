"""Questions to a name server as they are on the wire."""

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from hosts import DOMAIN, PATIENCE
from lookup import NODATA, NXDOMAIN, found, nothing


def question(name, kind, edns=None):
    """A recursive question; `edns` is the payload that it allows, if it has EDNS at all."""
    options = {} if edns is None else {"use_edns": 0, "payload": edns}
    return dns.message.make_query(name, kind, **options)


def udp(server, query):
    return dns.query.udp(query, server[0], timeout=PATIENCE, port=server[1])


def tcp(server, query):
    return dns.query.tcp(query, server[0], timeout=PATIENCE, port=server[1])


def answers(server):
    """Whether somebody there gives what the agent knows."""
    try:
        answer = dns.query.udp(question(f"beta.node.{DOMAIN}", "A"), server[0], timeout=0.3, port=server[1])
    except (dns.exception.Timeout, OSError):
        return False
    return len(answer.answer) > 0


def records(answer, kind):
    """The records of a type in the answer section."""
    wanted = dns.rdatatype.from_text(kind)
    return [record.to_text() for rrset in answer.answer if rrset.rdtype == wanted for record in rrset]


def asker(server):
    """A way to look names up there: over UDP with EDNS, and over TCP when the answer does not fit."""

    def look(name, kind):
        query = question(name, kind, edns=1232)
        answer = udp(server, query)
        if answer.flags & dns.flags.TC:
            answer = tcp(server, query)
        if answer.rcode() == dns.rcode.NXDOMAIN:
            return nothing(NXDOMAIN)
        if answer.rcode() != dns.rcode.NOERROR:
            return nothing(dns.rcode.to_text(answer.rcode()))
        return found(records(answer, kind)) if records(answer, kind) else nothing(NODATA)

    return look
