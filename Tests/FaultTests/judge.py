"""One fault, and whether what came of it is right."""

import dataclasses
import time

from clients import FAILED, HUNG, LIMIT, RIGHT, WRONG, wait_for
from injection import Trace, filters, injected

# The seconds for which a call goes on failing for those who wait for it.
PATIENCE = 0.4

# The most descriptors of pipes that a worker keeps (RelayWorkspace).
KEPT_PIPES = 16

# For how long nothing must happen when nothing is to do; how many times a second the program may go to sleep meanwhile, and the
# share of a processor that it may use. With a tracer each call is four sleeps. Retrying every 5 ms with a few calls is no
# spinning; a loop makes tens of thousands a second.
IDLE = 0.06
MOST_SLEEPS, MOST_PROCESSOR = 10_000, 0.5


@dataclasses.dataclass(frozen=True)
class Case:
    """A call of a scenario that fails with an error: at its `when`th time, or always (0)."""

    subject: str
    scenario: str
    call: str
    error: str
    when: int

    def __str__(self):
        return f"{self.subject}/{self.scenario} {self.call} {self.error} {self.when or 'always'}"


@dataclasses.dataclass
class Result:
    """The result of a case: `hits` is the number of calls that failed. Without one, nothing was tried."""

    case: Case
    hits: int
    violations: list
    outcomes: dict = dataclasses.field(default_factory=dict)
    evidence: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    was_tried: bool = True

    @property
    def verdict(self):
        if not self.was_tried:
            return "not tried"
        return "failed" if self.violations else "passed" if self.hits else "not reached"


class Judge:
    """Judges the cases of one scenario, one behind the other, on one program as long as it stays whole."""

    def __init__(self, scenario):
        self.scenario = scenario
        self._base = None
        self._listeners = None

    def begin(self):
        """Starts the program, and finds out what it has when nobody is there."""
        self.scenario.restart()
        for _ in range(2):
            clients = self.scenario.drive()
            if not wait_for(clients, LIMIT) or any(client.outcome != RIGHT for client in clients):
                raise RuntimeError(f"{self.scenario.name} does not work without a fault: {[c.detail for c in clients]} "
                                   f"{self.scenario.program.said[-10:]}")
            if found := self.scenario.recover() + self.scenario.violations():
                raise RuntimeError(f"{self.scenario.name} does not work without a fault: {found}")
            self.scenario.let_go()
        self._base = self._settled()
        self._listeners = self.scenario.listeners()

    def _settled(self):
        counts = []
        while len(counts) < 10 or len(set(counts[-10:])) > 1:
            counts.append(self._count())
            time.sleep(0.05)
        return counts[-1]

    def _count(self):
        """Returns the number of descriptors besides pipes, and the number of pipes, of which a worker keeps some for splicing."""
        names = self.scenario.program.descriptors().values()
        pipes = sum(name.startswith("pipe:") for name in names)
        return len(names) - pipes, pipes

    def _has_more(self):
        now, base = self._count(), self._base
        return now[0] > base[0] or now[1] > base[1] + KEPT_PIPES

    def trace(self):
        """The lines of a strace of the scenario without a fault."""
        self.begin()
        lines = []
        for _ in range(2):
            with Trace(self.scenario.program.pid) as trace:
                wait_for(self.scenario.drive(), LIMIT)
                self.scenario.recover()
                wait_for([self.scenario.next_client()], LIMIT)
                self.scenario.let_go()
                time.sleep(0.1)
            lines.append(trace.lines)
        return lines

    def judge(self, case):
        started = time.monotonic()
        if self._base is None:
            self.begin()
        result = Result(case, 0, [])
        program = self.scenario.program
        found = result.violations
        try:
            with Trace(program.pid, filters(case.call, case.error, case.when)) as trace:
                clients = self.scenario.drive()
                if wait_for(clients, LIMIT if case.when else PATIENCE) and program.is_running:
                    found += self._spinning("while the call fails")
            hits = injected(trace.lines)
            result.hits = len(hits)
            wait_for(clients, LIMIT + 1)
            found += self._judged(clients, case, hits, result)
            if program.is_running:
                found += self.scenario.recover()
            found += self._afterwards(program)
        except (ProcessLookupError, FileNotFoundError) as error:
            found.append(f"dead: {error}")
        if found:
            result.evidence = [*hits[:3], *(str(line) for line in program.said[-8:])] if program.said else hits[:3]
            self._base = None
        result.seconds = time.monotonic() - started
        return result

    def _judged(self, clients, case, hits, result):
        result.outcomes = {client.name: client.outcome or HUNG for client in clients}
        found = [f"wrong: {client.detail}" for client in clients if client.outcome == WRONG]
        found += [f"hung: {client.detail or client.name}" for client in clients if client.outcome in (HUNG, None)]
        failed = [client.detail for client in clients if client.outcome == FAILED]
        if case.when and len(failed) > len(hits):
            found.append(f"others: {len(failed)} clients failed of {len(hits)} faults: {failed}")
        return found + [f"wrong: {violation}" for violation in self.scenario.violations()]

    def _afterwards(self, program):
        if not program.is_running:
            return [f"dead: exit code {program.process.wait(5)}"]
        following = self.scenario.next_client()
        wait_for([following], LIMIT + 1)
        found = [] if following.outcome == RIGHT else [f"next client: {following.detail or 'hung'}"]
        self.scenario.let_go()
        deadline = time.monotonic() + 3
        while self._has_more() and time.monotonic() < deadline:
            time.sleep(0.003)
        if self._has_more():
            found.append(f"descriptors: {self._count()} instead of {self._base}: {sorted(program.descriptors().items())[-6:]}")
        if (listeners := self.scenario.listeners()) != self._listeners:
            found.append(f"listeners: {listeners} instead of {self._listeners}")
        found += self._spinning("afterwards")
        # The violations that the next client and the ends of the others have shown.
        return found + [f"wrong: {violation}" for violation in self.scenario.violations()]

    def _spinning(self, when):
        program = self.scenario.program
        started, sleeps, busy = time.monotonic(), program.switches(), program.processor_seconds()
        time.sleep(IDLE)
        # On a busy machine that was longer.
        elapsed = time.monotonic() - started
        sleeps, busy = program.switches() - sleeps, program.processor_seconds() - busy
        if sleeps > MOST_SLEEPS * elapsed or busy > MOST_PROCESSOR * elapsed:
            return [f"spinning {when}: {sleeps} sleeps and {busy * 1000:.0f} ms of processor in {elapsed * 1000:.0f} ms"]
        return []
