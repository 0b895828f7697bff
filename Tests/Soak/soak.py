#!/usr/bin/python3
"""Everything at once, for as long as is asked for: all protocols in one program, reloads, apps that are killed, slow and hostile
clients, loss on the way, pauses; then it sees that nothing was lost, nothing hung, and nothing is left.

    Tests/Soak/soak.py --program dist/loopbridge --minutes 30 --loss 0.5

It ends with a line "N passed, N failed" for the bars (bars.py), and with their exit code. The figures are in the results' folder.
"""

import argparse
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "IntegrationTests"))

import report
from bars import bars
from conductor import App, Conductor
from network import Network
from samples import Sampler, delays
from subject import HAProxy, Loopbridge
from support.namespaces import remove_stale_namespaces
from support.tls import Authority
from support.waiting import wait_until
from verdict import Verdict, overlaps

# The moments that the program's clock may pass in the middle of a run: where 32 bits of milliseconds overflow.
MILESTONES = {"2^31 ms": (1 << 31) // 1000, "2^32 ms": (1 << 32) // 1000}


class Soak:
    """One run. Its attributes are its figures once it is over."""

    def __init__(self, options):
        self.options, self.seed, self.seconds = options, options.seed, options.minutes * 60
        self.folder = tempfile.mkdtemp(prefix="soak-", dir="/tmp")
        self.clients, self.apps = [], []
        self.network = self.subject = None
        self.frames = None
        # The descriptors that are open at the end, where they are not as many as at the beginning.
        self.left_over = []

    def run(self):
        try:
            self._set_up()
            self._load()
            self._wait_until_empty()
            self.code = self.subject.end()
            self.crash_marks = self.subject.crash_marks()
        finally:
            self._tear_down()
        self.verdict = Verdict(self.folder, self.conductor.events, delays(self.samples))
        self.conductor.failures = [failure for failure in self.conductor.failures
                                   if not any(overlaps(delay, failure) for delay in self.verdict.delays)]
        honest = [(kind, outcome, count) for (kind, outcome), count in self.verdict.outcomes.items()
                  if "fleeting" not in kind and "passing" not in kind and outcome not in ("left", "sent away")]
        whole = sum(count for _, outcome, count in honest if outcome.startswith("whole") or outcome in (
            "cut, as asked", "cut between requests", "some lost"))
        self.whole_share = whole / max(1, sum(count for _, _, count in honest))

    def _set_up(self):
        for name in ("apps", "listen"):
            os.mkdir(f"{self.folder}/{name}")
        pair = Authority(pathlib.Path(self.folder)).issue("soak", "DNS:soak.test")
        with open(f"{self.folder}/soak.pem", "w") as file:
            file.write(open(pair.certificate).read() + open(pair.key).read())
        self.network = Network(self.options.loss, self.seed, self.folder)
        self.apps = [App(kind, self.network.container, self.folder) for kind in App.ADDRESSES]
        for app in self.apps:
            app.start()
        if self.options.haproxy:
            self.subject = HAProxy(self.network.container, self.folder)
        else:
            self.subject = Loopbridge(self.network.container, os.path.abspath(self.options.program), self.folder, self._clock_offset())
        self._settle()
        self.base_descriptors = self.subject.quiet_descriptors()
        self.conductor = Conductor(self.subject, self.network, self.apps, self.folder, self.seed)

    def _clock_offset(self):
        if self.options.clock == "machine":
            return 0
        name = self.options.clock if self.options.clock != "auto" else list(MILESTONES)[self.seed % len(MILESTONES)]
        return max(0, int(MILESTONES[name] - time.monotonic() - self.seconds / 2))

    def _settle(self):
        counts = []
        while len(counts) < 15 or len(set(counts[-15:])) > 1:
            counts.append(self.subject.descriptors())
            time.sleep(0.1)

    def _load(self):
        without = "datagrams,passing" if self.options.haproxy else "-"
        for place, namespace in (("outside", self.network.outside), ("inside", self.network.container)):
            with open(f"{self.folder}/clients-{place}.log", "w") as log:
                self.clients.append(subprocess.Popen(
                    namespace.command(sys.executable, os.path.join(os.path.dirname(__file__), "clients.py"), self.folder,
                                      str(self.seed), place, str(self.options.rate), without),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        self.sampler = Sampler(self.subject)
        self.conductor.start()
        end = time.monotonic() + self.seconds
        while time.monotonic() < end and self.subject.is_running and all(one.poll() is None for one in self.clients):
            time.sleep(1)
        self.conductor.stop()
        self.sampler.stop()
        self.samples = self.sampler.rows
        self.clients_ended = self._end_clients()

    def _end_clients(self):
        """Whether all of them have ended by themselves, and well."""
        for number in (signal.SIGTERM, signal.SIGUSR1):
            for one in self.clients:
                if one.poll() is None:
                    one.send_signal(number)
        try:
            return [one.wait(120) for one in self.clients] == [0] * len(self.clients)
        except subprocess.TimeoutExpired:
            return False

    def _wait_until_empty(self):
        """Longer than a route leaves a silent connection alone."""
        started = time.monotonic()
        self.gauges, self.counters, self.idle_cpu, self.memory_at_end = "not known", {}, 0.0, 0
        self.descriptors = 0
        if not self.subject.is_running:
            return
        try:
            wait_until(lambda: not self.subject.gauges() and self.subject.quiet_descriptors() <= self.base_descriptors, "all is 0",
                       limit=60, interval=0.5)
        except AssertionError:
            pass
        self.drained_after = time.monotonic() - started
        self.gauges, self.counters = self.subject.gauges(), self.subject.counters()
        # The connection that has asked for these is to be over.
        time.sleep(1)
        before = self.subject.cpu_seconds()
        time.sleep(5)
        self.idle_cpu = self.subject.cpu_seconds() - before
        self.descriptors, self.memory_at_end = self.subject.quiet_descriptors(), self.subject.anonymous_memory()
        if self.descriptors != self.base_descriptors:
            self.left_over = self.subject.described_descriptors()

    def _tear_down(self):
        for one in self.clients:
            if one.poll() is None:
                one.kill()
                one.wait()
        if self.subject and self.subject.is_running:
            self.subject.process.kill()
        for app in self.apps:
            app.kill()
        if self.network:
            self.frames = self.network.remove()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="dist/loopbridge")
    parser.add_argument("--haproxy", action="store_true", help="the same for HAProxy, as far as it can")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--loss", type=float, default=0, help="of frames, in parts of a hundred")
    parser.add_argument("--rate", type=float, default=1, help="how often clients come, 1 being some 100 a second")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 31))
    parser.add_argument("--clock", choices=("auto", "machine", *MILESTONES), default="auto", help="what its clock passes half-way")
    parser.add_argument("--results", default=".build-soak")
    options = parser.parse_args()
    remove_stale_namespaces()
    print(f"soak: {options.minutes:g} minutes, seed {options.seed}, loss {options.loss:g} %", flush=True)
    run = Soak(options)
    run.run()
    found = bars(run)
    made = report.figures(run, found)
    report.save(run.folder, made)
    results = os.path.join(options.results, f"{run.subject.name}-{options.seed}")
    shutil.rmtree(results, ignore_errors=True)
    shutil.copytree(run.folder, results, ignore=shutil.ignore_patterns("*.sock", "*.key", "*.pem", "listen", "apps"))
    shutil.rmtree(run.folder)
    print(report.markdown(made))
    print(f"figures and logs: {results}")
    failed = sum(not bar.holds for bar in found)
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
