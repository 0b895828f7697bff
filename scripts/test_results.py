"""The outcomes of tests, read from JUnit reports and summed up in one line."""

import os
import xml.etree.ElementTree


class Results:
    """Counts of passed and skipped tests, and the names of those that failed."""

    def __init__(self):
        self.passed, self.skipped, self.failed = 0, 0, []

    def add_report(self, path, name_of):
        """Adds a JUnit report. `name_of(case)` names a test case. Raises where the report is not whole."""
        for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            outcomes = {child.tag for child in case}
            if outcomes & {"failure", "error"}:
                # A test that fails at its end too is reported twice.
                if name_of(case) not in self.failed:
                    self.failed.append(name_of(case))
            elif "skipped" in outcomes:
                self.skipped += 1
            else:
                self.passed += 1

    def add(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.failed += other.failed

    def save(self):
        """Appends the results to the file that TEST_RESULTS names, if it names one."""
        if path := os.environ.get("TEST_RESULTS"):
            with open(path, "a") as file:
                file.write(f"passed {self.passed}\nskipped {self.skipped}\n")
                file.writelines(f"failed {name}\n" for name in self.failed)

    @classmethod
    def saved(cls, path):
        """Returns the sum of all results that were saved in a file."""
        results = cls()
        with open(path) as file:
            for line in file.read().splitlines():
                outcome, _, value = line.partition(" ")
                if outcome == "failed":
                    results.failed.append(value)
                else:
                    setattr(results, outcome, getattr(results, outcome) + int(value))
        return results

    def line(self, title):
        """Returns one line that says how many tests passed and failed, and names those that failed."""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        names = f": {', '.join(self.failed)}" if self.failed else ""
        return f"{title}: {self.passed} passed, {len(self.failed)} failed{skipped}{names}"
