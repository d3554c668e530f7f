"""What was found to hold, and what not, counted."""


class Report:
    """Prints each claim as it is tried."""

    def __init__(self):
        self.passed = self.failed = 0
        self.program = ""

    def begin(self, program):
        self.program = program
        print(f"==> {program}", flush=True)

    def note(self, text):
        print(f"note: {self.program}: {text}", flush=True)

    def equal(self, claim, expected, actual):
        self.holds(claim, expected == actual, expected, actual)

    def holds(self, claim, holds, expected=None, actual=None):
        if holds:
            self.passed += 1
            print(f"passed: {self.program}: {claim}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED: {self.program}: {claim}", flush=True)
            if expected is not None:
                print(f"    expected {expected}\n    found    {actual}", flush=True)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 0 if self.failed == 0 and self.passed > 0 else 1
