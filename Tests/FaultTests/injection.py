"""Making system calls fail with strace, and finding out which a program makes.

strace counts the calls of each thread by itself: `when=2` is the second such call of every thread since strace attached to
it. A thread that comes later counts from its own start.
"""

import collections
import os
import re
import signal
import subprocess
import tempfile
import time

_CALL = re.compile(r"^(?:(\d+) +)?(\w+)\(")


def filters(call, error, when):
    """The arguments that have strace show a call and make it fail; `when` 0 is always."""
    moment = f"{when}" if when else "1+"
    return ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={moment}"]


class Trace:
    """A strace of a program that runs, with all of its threads, until end()."""

    def __init__(self, pid, arguments=()):
        self.pid = pid
        self._path = tempfile.mktemp(prefix="faults-", suffix=".strace")
        self._strace = subprocess.Popen(
            ["strace", "-f", "-o", self._path, *arguments, "-p", str(pid)],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        self.said = []
        for line in self._strace.stderr:
            self.said.append(line.decode(errors="replace").strip())
            if b"attached" in line and b"attach:" not in line:
                break
        else:
            if os.path.exists(f"/proc/{pid}"):
                raise RuntimeError(f"strace cannot attach: {self.said}")
        self.lines = []

    def end(self):
        """Lets the program run on by itself; what strace has seen is in `lines` then."""
        if self._strace.poll() is None:
            self._strace.send_signal(signal.SIGTERM)
            try:
                self._strace.wait(10)
            except subprocess.TimeoutExpired:
                self._strace.kill()
                self._strace.wait(10)
        self._strace.stderr.close()
        self.lines = _taken(self._path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class LaunchTrace:
    """A strace of a program from its first instruction on.

    `wrapper` stands before the program's command line. The program keeps the process id that it is started with: strace
    steps behind it (-D).
    """

    def __init__(self, arguments=()):
        self._path = tempfile.mktemp(prefix="faults-", suffix=".strace")
        self.wrapper = ["strace", "-D", "-f", "-q", "-I", "1", "-o", self._path, *arguments]
        self.lines = []
        self._tracer = 0

    def started(self, pid):
        """To be called once the program runs, so that end() knows whom to tell."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and not self._tracer:
            self._tracer = _tracer_of(pid)
            if self._tracer is None:
                self._tracer = 0
                return  # it has ended
            time.sleep(0.002)

    def end(self):
        if self._tracer:
            try:
                os.kill(self._tracer, signal.SIGTERM)
            except ProcessLookupError:
                pass
            deadline = time.monotonic() + 10
            while _runs(self._tracer) and time.monotonic() < deadline:
                time.sleep(0.002)
        self.lines = _taken(self._path)


def _tracer_of(pid):
    try:
        with open(f"/proc/{pid}/status") as file:
            status = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if "\nState:\tZ" in status:
        return None
    return int(re.search(r"^TracerPid:\s+(\d+)", status, re.MULTILINE)[1])


def _runs(pid):
    """Whether a process that is nobody's child here still works."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _taken(path):
    """The lines of a file that is not needed any more."""
    try:
        with open(path, errors="replace") as file:
            lines = file.read().splitlines()
        os.unlink(path)
        return lines
    except FileNotFoundError:
        return []


def injected(lines):
    """Those lines that tell of a call that was made to fail."""
    return [line for line in lines if line.endswith("(INJECTED)")]


def most_calls(lines):
    """Returns, for each call, the number of times that the thread which made it most often made it."""
    counts = collections.Counter()
    for line in lines:
        if match := _CALL.match(line):
            counts[match[2], match[1]] += 1
    most = {}
    for (call, _), times in counts.items():
        most[call] = max(times, most.get(call, 0))
    return most
