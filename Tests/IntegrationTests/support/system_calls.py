"""Counting a process's system calls."""

import os
import re
import signal
import subprocess

from support.waiting import wait_until


class CountedCalls:
    """The system calls of a process by strace, which lets it run on at the end."""

    def __init__(self, pid, path):
        self._path = path
        self._strace = subprocess.Popen(
            ["strace", "-f", "-c", "-o", path, "-p", str(pid)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in self._strace.stderr:
            if b"attached" in line:
                break

    def end(self):
        """The calls by name."""
        self._strace.send_signal(signal.SIGINT)
        self._strace.wait(10)
        self._strace.stderr.close()
        calls = {}
        for line in self._path.read_text().splitlines():
            # % time, seconds, usecs/call, calls, errors (or nothing), name
            if match := re.fullmatch(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)", line):
                calls[match[2]] = int(match[1])
        calls.pop("total", None)
        return calls


class FailingCalls:
    """While it is entered, some of a process's system calls fail: of each thread, the first of this name."""

    def __init__(self, pid, call, error, when="1"):
        self._command = ["strace", "-f", "-q", "-o", "/dev/null", "-e", f"trace={call}", "-e", "signal=none",
                         "-e", f"inject={call}:error={error}:when={when}", "-p", str(pid)]
        self._pid = pid

    def __enter__(self):
        self._strace = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._is_traced, "strace has all threads")
        return self

    def _is_traced(self):
        tracers = set()
        for task in os.listdir(f"/proc/{self._pid}/task"):
            with open(f"/proc/{self._pid}/task/{task}/status") as status:
                tracers.update(line.split()[1] for line in status if line.startswith("TracerPid"))
        return tracers == {str(self._strace.pid)}

    def __exit__(self, *_):
        self._strace.send_signal(signal.SIGINT)
        self._strace.wait(10)
