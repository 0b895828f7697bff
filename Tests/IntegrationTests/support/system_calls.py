"""Counting a process's system calls."""

import re
import signal
import subprocess


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
