"""A run's findings, as JSON for tools and as Markdown for people."""

import collections
import json
import time

from errnos import ERRORS_LEFT_OUT, LEFT_OUT
from explained import explanation_of


class Findings:
    """Sums up results as they come."""

    def __init__(self):
        self.results = []
        self.broken = {}
        self.unknown = collections.defaultdict(set)
        self.left_out = collections.defaultdict(set)
        self._started = time.monotonic()

    def verdict(self, result):
        if result.verdict == "failed" and explanation_of(result):
            return "explained"
        return result.verdict

    def counts(self, subject=None, scenario=None):
        return collections.Counter(
            self.verdict(result) for result in self.results
            if subject in (None, result.case.subject) and scenario in (None, result.case.scenario))

    def hits(self, subject, scenario=None):
        """The number of calls that have failed in all."""
        return sum(r.hits for r in self.results if r.case.subject == subject and scenario in (None, r.case.scenario))

    @property
    def failed(self):
        return [result for result in self.results if self.verdict(result) == "failed"]

    @property
    def has_failed(self):
        return bool(self.broken or any(result.case.subject == "loopbridge" for result in self.failed)
                    or any(subject == "loopbridge" for subject, _ in self.unknown))

    def table(self):
        """A line for each scenario of each program, in Markdown."""
        lines = ["| program | scenario | cases | calls that failed | passed | failed | explained | not reached |",
                 "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
        pairs = sorted({(r.case.subject, r.case.scenario) for r in self.results}, key=lambda pair: (pair[0] != "loopbridge", pair))
        subjects = sorted({subject for subject, _ in pairs}, reverse=True)
        for subject, scenario in [*pairs, *((subject, None) for subject in subjects)]:
            counts = self.counts(subject, scenario)
            judged = sum(counts.values()) - counts["not reached"] - counts["not tried"]
            lines.append(f"| {subject} | {scenario or '**all**'} | {judged} | {self.hits(subject, scenario)} | {counts['passed']} | "
                         f"{counts['failed']} | {counts['explained']} | {counts['not reached']} |")
        return "\n".join(lines)

    def markdown(self):
        parts = ["# Faults injected", "", f"{time.monotonic() - self._started:.0f} s.", "", self.table(), ""]
        if self.broken:
            parts += ["## Cases that could not be tried", ""]
            parts += [f"- {subject}/{scenario}:\n```\n{text}\n```" for (subject, scenario), text in self.broken.items()]
        if self.unknown:
            parts += ["", "## Calls without a table of errors (errnos.py)", ""]
            parts += [f"- {subject}/{scenario}: {', '.join(sorted(calls))}" for (subject, scenario), calls in self.unknown.items()]
        for title, wanted in (("Failed", "failed"), ("Explained", "explained")):
            found = [result for result in self.results if self.verdict(result) == wanted]
            if found:
                parts += ["", f"## {title}", ""]
            for result in found:
                parts += [f"- `{result.case}`" + (f": {explanation_of(result).reason}" if wanted == "explained" else "")]
                parts += [f"  - {violation}" for violation in result.violations]
                if wanted == "failed":
                    parts += [f"  - again: `{again(result.case)}`", *(f"    - `{line[:200]}`" for line in result.evidence)]
        parts += ["", "## Left out", ""]
        parts += [f"- {call} ({', '.join(sorted(where))}): {LEFT_OUT[call]}" for call, where in sorted(self.left_out.items())]
        parts += [f"- {error}: {reason}" for error, reason in ERRORS_LEFT_OUT.items()]
        return "\n".join(parts) + "\n"

    def json(self):
        return json.dumps({
            "results": [{
                "subject": r.case.subject, "scenario": r.case.scenario, "call": r.case.call, "error": r.case.error,
                "when": r.case.when or "always", "hits": r.hits, "verdict": self.verdict(r), "violations": r.violations,
                "outcomes": r.outcomes, "evidence": r.evidence, "seconds": round(r.seconds, 3),
                "explanation": explanation_of(r).reason if self.verdict(r) == "explained" else None} for r in self.results],
            "broken": {"/".join(pair): text for pair, text in self.broken.items()},
        }, indent=1)


def again(case):
    """The command line that tries one case once more."""
    return f"make test-faults FAULTS='--only {case.subject}/{case.scenario}/{case.call}/{case.error}/{case.when or 'always'}'"
