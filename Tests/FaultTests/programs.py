"""The programs under test: loopbridge, and HAProxy as its peer, with what the judge asks of either."""

import os
import shutil
import signal
import subprocess
import threading

from support.loopbridge import Loopbridge
from support.processes import session_members


class Process:
    """A process, by what /proc says of it."""

    pid = None

    def descriptors(self):
        """Returns the target of each of its descriptors."""
        names = {}
        for name in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                names[int(name)] = os.readlink(f"/proc/{self.pid}/fd/{name}")
            except FileNotFoundError:
                pass  # closed meanwhile
        return names

    def switches(self):
        """Returns the number of times that its threads have left the processor of their own accord, and with a tracer at each stop."""
        count = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/status") as file:
                    count += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
            except (FileNotFoundError, ProcessLookupError):
                pass  # a thread that has ended meanwhile
        return count

    def processor_seconds(self):
        """The processor time of all of its threads so far, to the nanosecond."""
        count = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    count += int(file.read().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                pass
        return count / 1e9


class LoopbridgeProcess(Loopbridge, Process):
    """loopbridge; `said` is everything that it has said so far."""

    name = "loopbridge"
    # 0 is none of them: a program that ends at its start says so by its code.
    refusals = {64, 71, 78}

    @property
    def said(self):
        return [entry["message"] for entry in list(self.log)] + list(self.noise)

    def is_listening(self):
        return bool(self.messages("forwarding to"))


class HAProxyProcess(Process):
    """HAProxy in the foreground, in one process and with one thread."""

    name = "haproxy"
    # 127 is the dynamic loader's, which our static program does without.
    refusals = {1, 127}

    def __init__(self, namespace, path, wrapper=()):
        program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        self.said = []
        self.code = None
        self.process = subprocess.Popen(
            namespace.command(*wrapper, program, "-db", "-f", path), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True)
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line.decode(errors="replace").rstrip())

    @property
    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        os.kill(self.pid, number)

    def wait(self, limit=15.0):
        self.code = self.process.wait(limit)
        self._reader.join(5)
        return self.code

    def kill(self):
        for member in session_members(self.pid):
            os.kill(member, signal.SIGKILL)
        self.process.wait(10)
        self._reader.join(5)
        self.process.stderr.close()
