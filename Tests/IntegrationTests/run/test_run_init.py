"""`loopbridge run` as an init: signals, exit codes, orphans, and what the command inherits."""

import json
import os
import resource
import signal
import subprocess

import pytest

from support.settings import PROGRAM
from support.waiting import wait_until
from support.wrapped import PYTHON, Child

FORWARDED = [
    signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCONT,
    signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF, signal.SIGURG, signal.SIGIO, signal.SIGXCPU, signal.SIGPWR,
    signal.SIGTSTP, signal.SIGRTMIN, signal.SIGRTMIN + 1, signal.SIGRTMAX]

# Prints the state that a program starts in, as one line of JSON.
PORTRAIT = """
import json, os, resource
status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps({
    "blocked": status["SigBlk"], "ignored": status["SigIgn"], "files": resource.getrlimit(resource.RLIMIT_NOFILE),
    "environment": open("/proc/self/environ").read(), "directory": os.getcwd(), "mask": status["Umask"],
    "open": sorted(os.listdir("/proc/self/fd"))}))
"""


def zombies(parent):
    """The children of a process that have ended and wait for it to notice."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat") as file:
                state, father = file.read().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state == "Z" and int(father) == parent:
            found.append(int(entry))
    return found


def test_every_signal_is_forwarded(container, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command)
    child.catch([*FORWARDED, signal.SIGCHLD])
    for number in FORWARDED:
        program.signal(number)
        wait_until(lambda: number in child.caught(), f"signal {number} arrives")
    program.signal(signal.SIGCHLD)
    program.signal(signal.SIGUSR1)
    wait_until(lambda: child.caught().count(signal.SIGUSR1) == 2, "what came after it arrives")
    assert child.caught() == [*FORWARDED, signal.SIGUSR1]


@pytest.mark.parametrize("code", [0, 1, 3, 64, 71, 255])
def test_exit_code(container, run, code):
    assert run(["sh", "-c", f"exit {code}"]).wait() == code


@pytest.mark.parametrize("number", [
    signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGUSR1, signal.SIGRTMIN + 1])
def test_exit_code_of_a_signal(container, run, tmp_path, number):
    child = Child(tmp_path)
    program = run(child.command)
    child.end_by(number)
    assert program.wait() == 128 + number


def test_ends_by_a_forwarded_signal(container, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command)
    child.ready()
    program.signal(signal.SIGQUIT)
    assert program.wait() == 128 + signal.SIGQUIT


def test_command_that_cannot_be_started(container, run, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for command, code in (
            ("no-such-program", 127), (str(tmp_path / "missing"), 127), (str(plain), 126), (str(tmp_path), 126)):
        program = run([command])
        assert program.wait() == code
        assert program.messages("cannot start", command), program.describe()


def test_orphans_leave_no_zombies(container, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command)
    child.make_orphans(200)
    wait_until(lambda: not zombies(program.pid), "all have been reaped")
    assert child.process()["parent"] == program.pid
    child.end(7)
    assert program.wait() == 7


def test_orphans_of_pid_1_leave_no_zombies(container, run, tmp_path):
    child = Child(tmp_path)
    program = run(child.command, wrapper=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    assert child.process() == {"pid": child.process()["pid"], "parent": 1, "group": child.process()["pid"]}
    child.make_orphans(200)
    children = f"/proc/{program.pid}/task/{program.pid}/children"
    with open(children) as file:
        init = int(file.read())
    wait_until(lambda: not zombies(init), "all have been reaped")
    child.end(7)
    assert program.wait() == 7


# glibc's posix_spawn leaves signals ignored that its sigaction does not even show.
SPAWN = """
import os, sys
process = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
"""


@pytest.mark.parametrize("setting", ["as it is", "nohup", "ignored", "blocked", "few files", "posix_spawn"])
def test_command_finds_what_it_would_find_without_us(container, tmp_path, setting):
    """Signals, limits, environment, descriptors: as with a direct start."""
    def prepare():
        if setting == "nohup":
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        elif setting == "ignored":
            for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTTOU, signal.SIGTERM, signal.SIGRTMIN + 3):
                signal.signal(number, signal.SIG_IGN)
        elif setting == "blocked":
            signal.pthread_sigmask(
                signal.SIG_SETMASK, [signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN + 3])
        elif setting == "few files":
            resource.setrlimit(resource.RLIMIT_NOFILE, (200, 4000))

    def portrait(*prefix):
        if setting == "posix_spawn":
            prefix = [PYTHON, "-c", SPAWN, *prefix]
        result = subprocess.run(
            [*prefix, PYTHON, "-c", PORTRAIT], preexec_fn=prepare, capture_output=True, text=True, timeout=30,
            cwd=tmp_path, restore_signals=False, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "ODD": "a=b\nc", "EMPTY": "", "LOOPBRIDGE_LOG_LEVEL": "error"})
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    assert portrait(PROGRAM, "run", "--") == portrait()


def test_signals_that_were_ignored_or_blocked_are_forwarded(container, run, tmp_path):
    """The app may have its own mind about them."""
    child = Child(tmp_path)
    script = ("import signal, os, sys; signal.signal(1, signal.SIG_IGN);"
              "signal.pthread_sigmask(signal.SIG_BLOCK, [10, 15, 17]); os.execvp(sys.argv[1], sys.argv[1:])")
    program = run(child.command, wrapper=[PYTHON, "-c", script])
    child.catch([signal.SIGHUP])
    program.signal(signal.SIGHUP)
    wait_until(lambda: child.caught() == [signal.SIGHUP], "it arrives")
    child.end(5)
    assert program.wait() == 5


def test_standard_streams(container):
    result = subprocess.run(
        container.command(PROGRAM, "run", "--log-level", "error", "--", "sh", "-c", "cat; echo error >&2"),
        input=b"a line\n", capture_output=True, timeout=30)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"a line\n", b"error\n")
