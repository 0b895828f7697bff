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


_SIGNAL_PIPE = (
    "libevent passes signals on through a pipe of its own, ignores a failed write(2) to it, and ends the process where read(2) fails. "
    "Neither call has these errors on a pipe that is non-blocking and has room, or bytes")
_RING = (
    "an eventfd's write(2) fails with none of these errors, and only the first and further attempts together were made to: what "
    "one thread leaves for another is then not noticed")

EXPLANATIONS = (
    Explanation(_SIGNAL_PIPE, ("hung: it does not end", "recovery: a reload"), scenario=("drain", "reload"), call="write"),
    Explanation(_SIGNAL_PIPE, ("dead: exit code 1", "dead: it ended with code 1", "hung: it does not end", "others:", "wrong:", "recovery:"),
                scenario=("drain", "reload"), call="read"),
    Explanation(_RING, ("hung: ", "recovery: ", "next client: ", "descriptors: ", "listeners: "),
                scenario=("start", "same-port", "reload", "drain", "admin"), call="write", when=0),
    Explanation("the log's thread waits in read(2) of an eventfd, which has no error but EAGAIN (and EINVAL for a buffer that is too "
                "small): it looks again at once", ("spinning",), call="read", when=0),
    Explanation("Swift's runtime looks for its own file before main() and aborts where it finds none (\"Unable to obtain Swift "
                "runtime path\")", ("dead: it ended its start with code -6",), scenario="start", call="readlink"),
    Explanation("Swift's random numbers come from /dev/urandom where getrandom(2) is refused; it is opened once and stays open",
                ("descriptors: ",), call="getrandom"),
)


def explanation_of(result):
    """The explanation of a result with violations, if there is one."""
    return next((one for one in EXPLANATIONS if one.explains(result)), None)
