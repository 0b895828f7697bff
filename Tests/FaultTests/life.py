"""Scenarios of the program's own start and end, each of whose cases has a program of its own."""

import signal
import time

from clients import LIMIT, RIGHT, Client, wait_for
from exchanges import ask, hear
from injection import LaunchTrace, Trace, filters, injected
from judge import Judge, Result
from scenario import Scenario, seed
from streams import TLS
from support.configuration import route
from support.waiting import wait_until


class Start(TLS):
    """A start with something of everything in its configuration."""

    name = "start"
    routes = (*TLS.routes,
              route("unix:{folder}/listen.sock", "127.0.0.1:8000", hold="2s"),
              route("127.0.0.1:8053", "127.0.0.1:5300", protocol="udp"))
    settings = {"admin": '{ listen: "127.0.0.1:9901" }', "drain": "1s"}
    haproxy = TLS.haproxy
    ports = (8080, 8081)

    def start_app(self):
        (self.folder / "listen.sock").unlink(missing_ok=True)
        super().start_app()


class Drain(Scenario):
    """SIGTERM while clients are in the middle of something."""

    name = "drain"
    routes = (route("127.0.0.1:8080", "127.0.0.1:8000", hold="2s"),)
    haproxy = """
listen tcp
    bind 127.0.0.1:8080
    server app 127.0.0.1:8000
"""

    def __init__(self, subject="loopbridge"):
        super().__init__(subject)
        self.has_begun = False

    def start(self):
        super().start()
        self.has_begun = False
        self._waiting = []
        self._clients = [Client(f"under way {number}", self.open(), self._under_way()) for number in range(3)]
        wait_until(lambda: len(self._waiting) == 3, "three clients are under way", LIMIT)

    def _under_way(self):
        number = seed()

        def talk(connection):
            ask(connection, 100, 1000, number)
            hear(connection, 1000, number)
            self._waiting.append(number)
            while not self.has_begun:
                time.sleep(0.002)
            ask(connection, 20_000, 300_000, number + 1)
            hear(connection, 300_000, number + 1)
        return talk

    def drive(self):
        self.program.signal(signal.SIGUSR1 if self.subject == "haproxy" else signal.SIGTERM)
        # They go on once it is at it; a listener that stays is none of their business.
        deadline = time.monotonic() + 0.2
        while self.container.listens_on(8080) and time.monotonic() < deadline:
            time.sleep(0.002)
        self.has_begun = True
        return self._clients


class LifeJudge(Judge):
    """Judges cases of which each has a program of its own."""

    def judge(self, case):
        started = time.monotonic()
        result = self._start(case) if isinstance(self.scenario, Start) else self._drain(case)
        if result.violations:
            result.evidence = [*result.evidence[:3], *(str(line) for line in self.scenario.program.said[-8:])]
        self.scenario.stop()
        result.seconds = time.monotonic() - started
        return result

    def trace(self):
        if isinstance(self.scenario, Start):
            return [self._start(None) for _ in range(2)]
        return [self._drain(None) for _ in range(2)]

    # Start

    def _start(self, case):
        scenario = self.scenario
        scenario.stop()
        scenario.start_app()
        trace = LaunchTrace(filters(case.call, case.error, case.when) if case else ())
        scenario.launch(trace.wrapper)
        program = scenario.program
        trace.started(program.pid)
        deadline = time.monotonic() + LIMIT
        while program.is_running and not scenario.is_listening() and time.monotonic() < deadline:
            time.sleep(0.003)
        listens = scenario.is_listening()
        found, clients = [], []
        if listens:
            clients = [scenario.next_client()]
            if wait_for(clients, LIMIT if not case or case.when else 0.2):
                found += self._idle(program)
        trace.end()
        hits = injected(trace.lines)
        if case is None:
            if not listens or clients[0].outcome != RIGHT:
                raise RuntimeError(f"it does not start without a fault: {program.said}")
            return trace.lines
        if listens:
            found += self._serves(program, clients)
        elif program.is_running:
            found.append(f"hung: neither listening nor ended after {LIMIT:g} s")
        else:
            found += self._refused(program, case)
        found += [f"wrong: {violation}" for violation in scenario.violations()]
        result = Result(case, len(hits), found, {"start": "listens" if listens else "refuses"}, hits)
        return result

    def _serves(self, program, clients):
        """Once it listens, it serves, and ends in order."""
        wait_for(clients, LIMIT + 1)
        found = [f"{client.outcome or 'hung'}: {client.detail or client.name}" for client in clients
                 if client.outcome not in (RIGHT, "failed visibly")]
        if not program.is_running:
            return found + [f"dead: exit code {program.process.wait(5)}"]
        for port in self.scenario.ports:
            following = self.scenario.next_client() if port == 8080 else None
            if following and wait_for([following], LIMIT + 1) and following.outcome != RIGHT:
                found.append(f"next client: {following.detail}")
        found += self._idle(program)
        return found + self._ends(program, signal.SIGTERM)

    def _refused(self, program, case):
        code = program.wait(5)
        found = []
        if code not in program.refusals:
            found.append(f"dead: it ended its start with code {code}, which is not documented")
        # A program that may not write cannot say anything.
        if case.call not in ("write", "writev") and not any(line.strip() for line in program.said):
            found.append("silent: it ended its start without a word")
        return found

    def _idle(self, program):
        return self._spinning("at rest") if program.is_running else []

    def _ends(self, program, number):
        program.signal(number)
        try:
            code = program.wait(LIMIT)
        except Exception:
            return ["hung: it does not end"]
        # HAProxy ends by the signal where it is told to stop at once.
        return [] if code == 0 or (program.name == "haproxy" and code in (-15, 143)) else [f"dead: it ended with code {code}"]

    # Drain

    def _drain(self, case):
        scenario = self.scenario
        scenario.restart()
        program = scenario.program
        trace = Trace(program.pid, filters(case.call, case.error, case.when) if case else ())
        clients = scenario.drive()
        wait_for(clients, LIMIT if not case or case.when else 0.4)
        found = []
        deadline = time.monotonic() + (LIMIT if not case or case.when else 0.2)
        while program.is_running and time.monotonic() < deadline:
            time.sleep(0.003)
        trace.end()
        if case is None:
            return trace.lines
        hits = injected(trace.lines)
        result = Result(case, len(hits), found, evidence=hits)
        wait_for(clients, LIMIT + 1)
        found += self._judged(clients, case, hits, result)
        try:
            code = program.wait(LIMIT)
        except Exception:
            found.append("hung: it does not end after its drain")
        else:
            if code != 0:
                found.append(f"dead: it ended with code {code}")
        return result
