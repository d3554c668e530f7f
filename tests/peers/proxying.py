"""What must hold of a program that hands HTTP requests on to the instances of `web`."""

import urllib.error
import urllib.request

from hosts import HOSTS, until

# So many requests in a row show who gets some: each of three instances is missed by 40 only once in ten million times.
REQUESTS = 40


def proxies(report, site, url):
    """`url` is where the program is asked."""

    def become(claim, expected):
        becomes(report, url, claim, expected)

    everybody = {*HOSTS}
    become("all instances get requests", everybody)
    # From here on each goes on answering: only who looks the name up again can know that one is not to be asked.
    site.fail("gamma")
    become("one that is critical gets none", everybody - {"gamma"})
    site.heal()
    become("it gets some when it is well again", everybody)
    for name in HOSTS:
        site.fail(name)
    become("when all are critical nobody gets any", set())
    site.heal()
    become("all get some when they are well again", everybody)


def becomes(report, url, claim, expected):
    """Soon these hosts answer, and no others."""
    try:
        until(claim, lambda: who_answers(url) == expected)
    except TimeoutError:
        pass
    report.equal(claim, expected, who_answers(url))


def who_answers(url, requests=REQUESTS):
    """The hosts that answered requests."""
    seen = set()
    for _ in range(requests):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                seen.add(answer.read().decode())
        except urllib.error.HTTPError:
            pass  # The proxy's own answer, when it has nobody to ask.
    return seen
