"""What happens on the machine that is thrown away: the site is started, and one program after the other is tried.

    inside.py [--packages] PROGRAM...

Each is a file of programs/ with the `PACKAGES` of Debian that it needs and a function `run(report, site)`. `--packages` prints them.
"""

import importlib
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from daemon import DOCS  # noqa: E402
from hosts import Site, read  # noqa: E402
from report import Report  # noqa: E402


def main(names):
    programs = {name: importlib.import_module(f"programs.{name}") for name in names if name != "--packages"}
    if "--packages" in names:
        print(*(package for program in programs.values() for package in program.PACKAGES))
        return 0
    report, missing = Report(), read("/run/missing-packages").split()
    with Site() as site:
        for name, program in programs.items():
            lacking = [package for package in program.PACKAGES if package in missing]
            report.begin(name)
            if lacking:
                report.holds(f"{', '.join(lacking)} can be installed", False)
                continue
            try:
                program.run(report, site)
                site.heal()
            except Exception:
                traceback.print_exc()
                report.holds("it runs to its end", False)
                site.heal()
    report.begin("docs/dns")
    report.equal("each of its files is tried by some program", set(), untried())
    return report.end()


def untried():
    """Files of docs/dns that no program here names."""
    sources = "".join(path.read_text() for path in (HERE / "programs").glob("*.py"))
    return {str(path.relative_to(DOCS)) for path in DOCS.glob("*/*") if str(path.relative_to(DOCS)) not in sources}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
