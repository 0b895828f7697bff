"""A person at a terminal: a command on a pseudo-terminal, keys, and what the screen shows."""

import os
import pty
import select
import signal
import subprocess
import termios
import time


class Terminal:
    """A command that runs on a terminal of its own."""

    CTRL_C, CTRL_Z, CTRL_D = "\x03", "\x1a", "\x04"

    def __init__(self, command, environment):
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            command, env=environment, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.screen = ""
        self._seen = 0

    def type(self, keys):
        os.write(self._master, keys.encode())

    def resize(self, rows, columns):
        """Gives the window another size, of which the command is told as by a terminal emulator."""
        termios.tcsetwinsize(self._master, (rows, columns))
        self._process.send_signal(signal.SIGWINCH)

    def expect(self, text, limit=15):
        """Waits until the text is shown after all that was expected before; returns what was shown up to there."""
        deadline = time.monotonic() + limit
        while True:
            at = self.screen.find(text, self._seen)
            if at >= 0:
                before, self._seen = self.screen[self._seen:at], at + len(text)
                return before
            left = deadline - time.monotonic()
            assert left > 0, f"waited {limit} s in vain for {text!r}; the screen shows\n{self.screen[self._seen:]!r}"
            self._read(left)

    def _read(self, limit):
        if select.select([self._master], [], [], limit)[0]:
            try:
                self.screen += os.read(self._master, 65536).decode(errors="replace")
            except OSError:  # the other side is closed
                time.sleep(0.05)

    def wait(self, limit=15):
        """Waits until the command ends; returns its exit code."""
        deadline = time.monotonic() + limit
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it has not ended; the screen shows\n{self.screen!r}"
            self._read(0.1)
        return self._process.returncode

    def close(self):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(10)
        os.close(self._master)
