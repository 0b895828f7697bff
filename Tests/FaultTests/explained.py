"""Cases that the judge finds wrong and that are right: each with its reason, and each shown in the report."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Which violations of which cases it explains: the fields are None (any), a name, or a set of names."""

    reason: str
    violations: tuple
    subject: object = "loopbridge"
    scenario: object = None
    call: object = None
    error: object = None
    when: object = None

    def explains(self, result):
        case = result.case
        if not all(_matches(getattr(self, field), getattr(case, field))
                   for field in ("subject", "scenario", "call", "error", "when")):
            return False
        return all(violation.startswith(self.violations) for violation in result.violations)


def _matches(wanted, value):
    return wanted is None or value == wanted or (isinstance(wanted, (set, frozenset, tuple)) and value in wanted)


EXPLANATIONS = ()


def explanation_of(result):
    """The explanation of a result with violations, if there is one."""
    return next((one for one in EXPLANATIONS if one.explains(result)), None)
