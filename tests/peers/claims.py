"""What must hold of every program that looks names up, whatever it is."""

from lookup import NODATA, NOTHING, NXDOMAIN, found, nothing
from hosts import DOMAIN, HOSTS, MANY, WEB_PORT, target, v6

V4 = {name: address for name, (address, _) in HOSTS.items()}
V6 = {name: v6(address) for name, address in V4.items()}


def look_ups(report, site, look, kinds=("A", "AAAA", "SRV"), tells_why=True):
    """`look(name, kind)` is how the program is asked. `tells_why`: it tells a name without records from one that does not exist."""

    def gives(name, kind, expected, what=""):
        if kind in kinds:
            actual = look(f"{name}.{DOMAIN}", kind)
            if not tells_why and expected.why:
                expected = nothing(NOTHING)
            report.equal(f"{name} {kind}{what}", expected, actual)

    everywhere, tagged = list(HOSTS), ["alpha", "beta"]
    for name, hosts in [("web.service", everywhere), ("v1.web.service", tagged), ("WeB.sErVicE", everywhere)]:
        for kind in ("A", "AAAA", "SRV"):
            gives(name, kind, expected(kind, hosts))
    gives("_web._tcp.service", "SRV", expected("SRV", everywhere))
    gives("_web._v1.service", "SRV", expected("SRV", tagged))
    gives("beta.node", "A", found([V4["beta"]]))
    gives("sick.service", "A", nothing(NODATA), ", all of it critical")
    gives("_sick._tcp.service", "SRV", nothing(NODATA), ", all of it critical")
    gives("beta.node", "AAAA", nothing(NODATA))
    gives("shop.service", "A", nothing(NXDOMAIN), ", unknown")
    gives("_shop._tcp.service", "SRV", nothing(NXDOMAIN), ", unknown")
    if "SRV" in kinds:
        report.holds(f"all {MANY} of many.service SRV", *whole(look(f"many.service.{DOMAIN}", "SRV"), MANY))
    if "A" in kinds:
        report.holds("enough of many.service A", *whole(look(f"many.service.{DOMAIN}", "A"), 25))

    site.fail("gamma")
    for kind in ("A", "AAAA", "SRV"):
        gives("web.service", kind, expected(kind, tagged), ", when one is critical")
    site.heal()
    for kind in ("A", "AAAA", "SRV"):
        gives("web.service", kind, expected(kind, everywhere), ", when it is well again")


def expected(kind, hosts):
    """What a name has for instances of `web` on these hosts."""
    if kind == "A":
        return found(V4[host] for host in hosts)
    if kind == "AAAA":
        return found(V6[host] for host in hosts)
    addresses = [family[host] for family in (V4, V6) for host in hosts]
    return found(f"1 10 {WEB_PORT} {target(address)}" for address in addresses)


def whole(actual, least):
    return len(actual.records) >= least, f"{least} records or more", actual
