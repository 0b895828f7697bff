"""`loopbridge run` at a terminal: the command has it, as under a shell or tini."""

import os
import pty
import select
import signal

import pytest

from support.processes import session_members
from support.settings import PROGRAM
from support.waiting import wait_until


class Terminal:
    """A program with a terminal of its own, of which it is the session's leader."""

    def __init__(self, *command, environment=None):
        self.output = b""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environ, "PS1": "prompt> ", "TERM": "dumb", **(environment or {})})

    def type(self, text):
        os.write(self._master, text)

    def _read(self):
        while select.select([self._master], [], [], 0)[0]:
            try:
                data = os.read(self._master, 65536)
            except OSError:  # EIO: nobody has the terminal open any more
                return
            if not data:
                return
            self.output += data

    def wait_for(self, text, limit=15.0):
        """Waits until the text is shown, and forgets what was shown up to it."""
        def is_shown():
            self._read()
            return text in self.output

        try:
            wait_until(is_shown, f"{text} is shown", limit)
        except AssertionError as error:
            raise AssertionError(f"{error}; shown is {self.output}") from None
        self.output = self.output.partition(text)[2]

    def wait(self):
        def has_ended():
            self._read()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid and (status,)

        status, = wait_until(has_ended, "it has ended", limit=15)
        self.pid = None
        return os.waitstatus_to_exitcode(status)

    def close(self):
        if self.pid:
            for member in session_members(self.pid):
                os.kill(member, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)


@pytest.fixture
def terminal():
    opened = []

    def start(*command):
        opened.append(Terminal(*command))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


RUN = (PROGRAM, "run", "--log-level", "error", "--")


def test_command_is_in_the_foreground(terminal):
    script = "import os; print('same' if os.tcgetpgrp(0) == os.getpgrp() == os.getpid() else 'other', input())"
    window = terminal(*RUN, "/usr/bin/python3", "-c", script)
    window.type(b"typed\n")
    window.wait_for(b"same typed")
    assert window.wait() == 0


def test_ctrl_c_reaches_the_command_once(terminal):
    script = ("import signal, sys\ndef caught(*_): print('caught', flush=True)\n"
              "signal.signal(2, caught)\nprint('ready', flush=True)\n"
              "for line in sys.stdin: print('read', line, flush=True)")
    window = terminal(*RUN, "/usr/bin/python3", "-c", script)
    window.wait_for(b"ready")
    window.type(b"\x03")
    window.wait_for(b"caught")
    window.type(b"more\n")
    window.wait_for(b"read more")
    assert b"caught" not in window.output
    window.type(b"\x04")
    assert window.wait() == 0


def test_ctrl_c_ends_an_ordinary_command(terminal):
    window = terminal(*RUN, "sh", "-c", "echo ready; exec sleep 60")
    window.wait_for(b"ready")
    window.type(b"\x03")
    assert window.wait() == 128 + signal.SIGINT


def test_job_control_in_a_shell(terminal):
    window = terminal(*RUN, "bash", "--norc", "--noprofile", "-i")
    window.wait_for(b"prompt> ")
    window.type(b"sh -c 'echo rea''dy; exec cat'\n")
    window.wait_for(b"ready")
    window.type(b"\x1a")
    window.wait_for(b"Stopped")
    window.wait_for(b"prompt> ")
    window.type(b"fg\n")
    window.wait_for(b"exec cat")
    window.type(b"through\n")
    window.wait_for(b"through\r\nthrough")
    window.type(b"\x03")
    window.wait_for(b"prompt> ")
    window.type(b"exit 4\n")
    assert window.wait() == 4


def test_in_the_background_of_a_shell(terminal):
    """Started with &, it does not take the terminal from the shell."""
    window = terminal("bash", "--norc", "--noprofile", "-i")
    window.wait_for(b"prompt> ")
    window.type(" ".join([*RUN, "sleep 60 &\n"]).encode())
    window.wait_for(b"prompt> ")
    window.type(b"echo still''here\n")
    window.wait_for(b"stillhere")
    window.type(b"kill %1; wait %1; echo co''de $?\n")
    window.wait_for(b"code 143")


def test_the_terminal_comes_back(terminal):
    window = terminal("bash", "--norc", "--noprofile", "-i")
    window.wait_for(b"prompt> ")
    window.type(" ".join([*RUN, "sh -c 'exit 3'; echo co''de $?\n"]).encode())
    window.wait_for(b"code 3")
    window.type(b"echo still''here\n")
    window.wait_for(b"stillhere")
