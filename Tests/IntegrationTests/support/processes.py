"""Processes that the tests start: their output is collected, and they are gone at the end."""

import os
import signal
import subprocess
import threading

from support.waiting import wait_until


class Process:
    """A program that runs until it is stopped; both of its outputs are read into `lines`."""

    def __init__(self, command, **options):
        self.lines = []
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, **options)
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    @property
    def output(self):
        return "\n".join(self.lines)

    @property
    def is_running(self):
        return self._process.poll() is None

    def wait(self, limit=30.0):
        """Waits until it ends by itself and returns its exit code."""
        code = self._process.wait(limit)
        self._reader.join(5)
        return code

    def stop(self):
        """Ends it and what it has started."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                pass
        for member in session_members(self.pid):
            os.kill(member, signal.SIGKILL)
        self._process.wait(5)
        self._reader.join(5)
        self._process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def session_members(session):
    """The processes of a session that are alive; start_new_session makes one of every process started here."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            members.append(int(entry))
    return members


def is_stopped(pid):
    """Whether every thread of a process has obeyed SIGSTOP."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as file:
            # With a tracer, a small letter.
            if file.read().rpartition(")")[2].split()[0] not in "Tt":
                return False
    return True


class Frozen:
    """While it is entered, a process stands still: whatever happens meanwhile, it finds all at once."""

    def __init__(self, pid):
        self._pid = pid

    def __enter__(self):
        os.kill(self._pid, signal.SIGSTOP)
        wait_until(lambda: is_stopped(self._pid), "the process stands still", interval=0.0005)

    def __exit__(self, *_):
        os.kill(self._pid, signal.SIGCONT)
