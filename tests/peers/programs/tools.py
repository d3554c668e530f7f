"""Programs that people type: dig, drill, kdig and host, by the commands that docs/dns.md gives."""

import re
import subprocess

import claims
from daemon import DOCS, first_line
from forwarding import on_the_wire
from lookup import NODATA, NXDOMAIN, found, nothing

PACKAGES = ["bind9-dnsutils", "bind9-host", "knot-dnsutils", "ldnsutils"]
VERSIONS = {"dig": "-v", "drill": "-v", "kdig": "-V", "host": "-V"}
# As the document has them, to be put in place.
EXAMPLE = "web.service.tidings.internal"
STATUS = re.compile(r"(?:status|rcode): (\w+)")
RECORD = re.compile(r"^\S+\s+\d+\s+IN\s+(A|AAAA|SRV)\s+(.+)$", re.MULTILINE)
HOST_RECORD = re.compile(r"^\S+ has (?:IPv6 )?(?:address|SRV record) (.+)$", re.MULTILINE)


def run(report, site):
    for tool, option in VERSIONS.items():
        report.begin(tool)
        report.note(first_line(tool, option))
        command = documented(tool)
        read = read_host if tool == "host" else read_answer

        def look(name, kind):
            typed = [word.replace(EXAMPLE, name).replace("TYPE", kind) for word in command]
            ended = subprocess.run(typed, capture_output=True, text=True, timeout=30)
            return read(ended.stdout, kind)

        claims.look_ups(report, site, look)
    report.begin("the agent itself")
    on_the_wire(report, ("127.0.0.1", 8753))


def documented(tool):
    """The command of the document's table."""
    rows = re.findall(rf"^\| {tool} \| `(.+?)`", (DOCS.parent / "dns.md").read_text(), re.MULTILINE)
    return rows[0].split()


def read_answer(text, kind):
    """From what dig, drill and kdig print: a header and records."""
    status = STATUS.search(text)
    if status is None or status[1] == NXDOMAIN:
        return nothing(status[1] if status else text)
    answers = text.split("ANSWER SECTION:")[1].split("SECTION:")[0] if "ANSWER SECTION:" in text else ""
    records = [data for type_, data in RECORD.findall(answers) if type_ == kind]
    return found(records) if records else nothing(NODATA)


def read_host(text, kind):
    """From the sentences that host prints."""
    records = HOST_RECORD.findall(text)
    if records:
        return found(records)
    return nothing(NXDOMAIN if "NXDOMAIN" in text else NODATA if "has no" in text else text)
