"""The program under test, as its users start it."""

import json
import os
import signal
import subprocess
import threading
import time

from support.processes import session_members
from support.settings import PROGRAM
from support.waiting import wait_until

_CRASH_MARKS = ("Sanitizer", "Fatal error", "*** ", "Crash", "Illegal instruction", "free():", "malloc")
_LISTENS = "forwarding to"


class Loopbridge:
    """A running loopbridge in a namespace, and everything that it has logged.

    `log` holds the lines parsed from JSON, `noise` whatever was no JSON.
    """

    def __init__(self, namespace, *arguments, wrapper=(), environment=None, stderr=None, serve=True, passed=()):
        """Starts it.

        wrapper: a command line that ends in executing its arguments, such as `prlimit --nofile=64`.
        passed: descriptors that it inherits, by their numbers.
        stderr: a descriptor for its log instead of the pipe that is read here; -1 closes it.
        """
        self.arguments = arguments
        self.log = []
        self.noise = []
        self.code = None
        self._changed = threading.Condition()
        options = ["--log-format", "json", "--log-level", "debug"] if serve else []
        command = namespace.command(*wrapper, PROGRAM, *options, *arguments)
        if stderr == -1:
            command = ["/bin/sh", "-c", 'exec "$0" "$@" 2>&-', *command]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if stderr is None else (None if stderr == -1 else stderr),
            start_new_session=True, pass_fds=passed,
            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (self.process.stdout, self.process.stderr) if stream]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        for raw in stream:
            line = raw.decode(errors="replace").rstrip("\n")
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            with self._changed:
                if isinstance(entry, dict):
                    self.log.append(entry)
                elif line:
                    self.noise.append(line)
                self._changed.notify_all()

    # Its log

    def messages(self, *words):
        """The log lines so far whose message contains all of the words."""
        with self._changed:
            return [entry for entry in self.log if all(word in entry["message"] for word in words)]

    def closed(self):
        """The access log so far: a line for each connection that has ended."""
        return [entry for entry in self.messages("closed") if "client" in entry]

    def requests(self):
        """The access log of HTTP so far: a line for each request that has ended."""
        return [entry for entry in self.messages("request") if "target" in entry]

    def wait_for_request(self, count=1, limit=10.0):
        """Waits until so many requests have been logged; returns the last line."""
        return self._wait(self.requests, "log line of a request", count, limit)

    def wait_for_message(self, *words, count=1, limit=10.0):
        """Waits until so many log lines contain all of the words; returns the last of them."""
        return self._wait(lambda: self.messages(*words), f"log line with {words}", count, limit)

    def wait_for_closed(self, count=1, limit=10.0):
        """Waits until so many connections have been logged as ended; returns the last line."""
        return self._wait(self.closed, "log line of an ended connection", count, limit)

    def _wait(self, lines, what, count, limit):
        deadline = time.monotonic() + limit
        with self._changed:
            while True:
                found = lines()
                if len(found) >= count:
                    return found[-1]
                ended = self.process.poll() is not None and not any(r.is_alive() for r in self._readers)
                left = deadline - time.monotonic()
                if ended or left <= 0:
                    raise AssertionError(
                        f"{'it ended' if ended else f'waited {limit:g} s'} without {count} x {what}, only "
                        f"{len(found)}; {self.describe()}")
                self._changed.wait(min(left, 0.1))

    def describe(self):
        tail = [json.dumps(entry) for entry in self.log[-15:]] + self.noise[-60:]
        return f"loopbridge {' '.join(self.arguments)} said:\n  " + "\n  ".join(tail)

    def wait_until_listening(self, limit=15.0):
        self.wait_for_message(_LISTENS, limit=limit)
        return self

    # Its process

    def memory(self, name):
        """A figure of /proc/PID/status or /proc/PID/smaps_rollup in bytes, such as VmRSS or Anonymous."""
        for table in ("status", "smaps_rollup"):
            with open(f"/proc/{self.pid}/{table}") as file:
                for line in file:
                    if line.startswith(name + ":"):
                        return int(line.split()[1]) * 1024
        raise KeyError(name)

    def open_descriptors(self):
        """Returns the number of its open descriptors."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def open_sockets(self):
        """Returns the number of its open sockets: those of connections and listeners. Workers keep their pipes."""
        count = 0
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                count += os.readlink(f"/proc/{self.pid}/fd/{name}").startswith("socket:")
            except FileNotFoundError:
                pass  # closed meanwhile
        return count

    def settled_descriptors(self):
        """Returns the number of open descriptors once its threads have all they need."""
        return self._settled(self.open_descriptors)

    def settled_sockets(self):
        """Likewise of the sockets."""
        return self._settled(self.open_sockets)

    @staticmethod
    def _settled(count):
        counts = []

        def is_settled():
            counts.append(count())
            return len(counts) >= 10 and len(set(counts[-10:])) == 1
        wait_until(is_settled, "nothing is opened or closed for a second", limit=60, interval=0.1)
        return counts[-1]

    def tasks(self):
        """Its threads as {thread id: name}."""
        return {
            int(task): open(f"/proc/{self.pid}/task/{task}/comm").read().strip()
            for task in os.listdir(f"/proc/{self.pid}/task")}

    def cpu_seconds(self, task=None):
        """The processor time used so far, by all threads or one of them."""
        path = f"/proc/{self.pid}/stat" if task is None else f"/proc/{self.pid}/task/{task}/stat"
        with open(path) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wake_ups(self):
        """Returns the number of times that its threads have gone to sleep of their own accord so far."""
        count = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as file:
                count += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
        return count

    def wake_ups_within(self, seconds):
        """Returns the number of times that its threads go to sleep of their own accord in the next seconds."""
        before = self.wake_ups()
        time.sleep(seconds)  # the time that is looked at
        return self.wake_ups() - before

    def wait_until_asleep(self, limit=30.0):
        """Waits until none of its threads has woken for half a second."""
        wait_until(lambda: self.wake_ups_within(0.5) == 0, "nothing is left to be done", limit)

    def wait_until_quiet(self, limit=30.0):
        """Waits until it has used next to no processor time for half a second, or has ended."""
        def is_quiet():
            if not self.is_running:
                return True
            before = self.cpu_seconds()
            time.sleep(0.5)  # the time that is looked at
            return self.cpu_seconds() - before <= 0.02
        wait_until(is_quiet, "nothing moves any more", limit)

    def signal(self, number):
        os.kill(self.pid, number)

    @property
    def is_running(self):
        return self.process.poll() is None

    # Its end

    def wait(self, limit=15.0):
        """Waits until it ends; returns the exit code."""
        try:
            self.code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended in {limit:g} s; {self.describe()}") from None
        for reader in self._readers:
            reader.join(5)
        return self.code

    def terminate(self, limit=15.0):
        """Has it end in good order; returns the exit code."""
        if self.is_running:
            self.signal(signal.SIGTERM)
        return self.wait(limit)

    def end(self):
        """Has it end in good order, and at once where connections of the test would keep it for as long as it drains."""
        if self.is_running:
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(0.5)
            except subprocess.TimeoutExpired:
                self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self):
        """Makes sure that nothing is left of it."""
        for member in session_members(self.pid):
            os.kill(member, signal.SIGKILL)
        self.process.wait(10)
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def assert_clean(self, codes=(0,)):
        """Once it has ended: in good order, leaving no process behind and nothing that smells of a crash."""
        assert self.code in codes, f"exit code {self.code}; {self.describe()}"
        left = session_members(self.pid)
        assert not left, f"it left processes behind: {left}"
        said = "\n".join(self.noise)
        assert not any(mark in said for mark in _CRASH_MARKS), self.describe()
        if 0 in codes:
            assert not self.noise, f"what it says is not all JSON; {self.describe()}"


def run_to_end(namespace, *arguments, wrapper=(), environment=None, limit=15.0):
    """Runs a loopbridge that is expected to end by itself; returns it, with `code`, `log` and `noise`."""
    program = Loopbridge(namespace, *arguments, wrapper=wrapper, environment=environment)
    try:
        program.wait(limit)
        program.assert_clean(codes=(program.code,))
    finally:
        program.kill()
    return program
