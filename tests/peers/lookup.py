"""What programs find out about a name, in one form for all of them."""

import dataclasses
import ipaddress

# The name exists, with no record of the type that was asked for; and it does not exist (RFC 2308, 2).
NODATA, NXDOMAIN = "NODATA", "NXDOMAIN"
# One of the two: not every program tells them apart.
NOTHING = "nothing"


@dataclasses.dataclass(frozen=True)
class Found:
    """Records as text, or why there are none."""

    records: frozenset = frozenset()
    why: str = ""

    def __str__(self):
        texts = sorted(self.records)
        return self.why or (", ".join(texts) if len(texts) < 10 else f"{len(texts)} records, {texts[0]} and others")


def found(records):
    """Of records as a program writes them."""
    return Found(frozenset(plain(record) for record in records))


def plain(record):
    """Names in lower case and without the last dot, addresses in their shortest form: programs differ in that."""
    try:
        return str(ipaddress.ip_address(record))
    except ValueError:
        return record.lower().removesuffix(".")


def nothing(why):
    return Found(why=why)
