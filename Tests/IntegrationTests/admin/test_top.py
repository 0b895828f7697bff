"""`loopbridge top`: the status, live, as somebody at a terminal sees it and as a script does."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest

from support.actors.canned_admin import AdminPort, report, route, sample
from support.apps import App, echo
from support.namespaces import Cable
from support.settings import PROGRAM
from support.sockets import connect, read_exactly
from support.waiting import wait_until

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("LOOPBRIDGE_")}


class Screen:
    """The command on a terminal of its own."""

    def __init__(self, command, rows=24, columns=100, **environment):
        self._master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command, env={**CLEAN, "TERM": "xterm", **environment}, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.output = ""

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self._master, keys.encode())

    def read(self):
        while select.select([self._master], [], [], 0)[0]:
            try:
                self.output += os.read(self._master, 65536).decode(errors="replace")
            except OSError:
                return

    @property
    def shown(self):
        """The lines of the latest picture, without what sets them off."""
        self.read()
        pictures = [part for part in self.output.split("\x1b[H")[1:] if part.endswith("\x1b[J") or "\x1b[J" in part]
        return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", pictures[-1].partition("\x1b[J")[0]).replace("\r", "").split("\n") if pictures else []

    def wait_for(self, *words):
        """Waits until all of the words are in the latest picture, and returns that."""
        try:
            return wait_until(lambda: all(word in "\n".join(self.shown) for word in words) and self.shown, words)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.shown} {self.output[-500:]!r}") from None

    def end(self):
        """Waits for its end and returns the exit code; the terminal must be as it was."""
        wait_until(lambda: self.read() or self.process.poll() is not None, "it has ended")
        self.read()
        assert self.output.count(ENTER) == self.output.count(LEAVE)
        assert termios.tcgetattr(self.slave) == self.before
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)
        os.close(self.slave)


@pytest.fixture
def port(tmp_path):
    """An admin port on a Unix socket."""
    with AdminPort(path=str(tmp_path / "admin.sock"), answers={
            "/status.json": (200, report(route(latest=sample())))}) as port:
        yield port


@pytest.fixture
def top(tmp_path):
    """Starts it at a terminal."""
    started = []

    def start(*arguments, **options):
        screen = Screen([PROGRAM, "top", "--interval", "100ms", *arguments],
                        LOOPBRIDGE_ADMIN_SOCKET=str(tmp_path / "admin.sock"), **options)
        started.append(screen)
        return screen

    yield start
    for screen in started:
        screen.close()


def plainly(*arguments, path):
    result = subprocess.run([PROGRAM, "top", *arguments], env={**CLEAN, "LOOPBRIDGE_ADMIN_SOCKET": str(path)},
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return result.returncode, result.stdout, result.stderr


def test_one_table_where_there_is_no_terminal(port, tmp_path):
    code, output, complaint = plainly(path=tmp_path / "admin.sock")
    assert (code, complaint) == (0, "")
    assert "\x1b" not in output
    lines = output.splitlines()
    assert lines[0] == "loopbridge 9.8.7: running for 60m, 1 route"
    assert lines[1].split() == "ROUTE APP CONN WAIT NEW/S REQ/S TO APP/S TO CLIENT/S P50 P99 FAIL".split()
    assert lines[2].split() == "web up 3 0 2.5 10 2.0KiB 3.3MiB 2.1ms 250ms 2".split()
    assert "connections 4 (2, 2), loop lag 0.4ms, parked 0" in lines[3]
    assert "memory 15.0MiB, files 34 of 1024, threads 4" in lines[4]
    assert "the last one failed" in lines[4] and "log lines lost 7" in lines[4]
    assert port.asked == ["/status.json"]


def test_rates_between_two_tables(port, tmp_path):
    """From the second look on they are those of the time between."""
    reports = iter([report(route(requests=1000, to_app=0), time=100.0, start_time=0.0, cpu=1.0),
                    report(route(requests=1500, to_app=10 * 1024), time=105.0, start_time=0.0, cpu=2.0)])
    port.answers["/status.json"] = lambda: (200, next(reports))
    code, output, _ = plainly("--count", "2", "--interval", "50ms", path=tmp_path / "admin.sock")
    assert code == 0
    rows = [line.split() for line in output.splitlines() if line.startswith("web")]
    assert [row[5] for row in rows] == ["-", "100"]
    assert rows[1][6] == "2.0KiB"
    assert "CPU 20%" in output


def test_nobody_answers(tmp_path):
    code, output, complaint = plainly(path=tmp_path / "none.sock")
    assert (code, output) == (1, "")
    assert complaint == f"loopbridge: no answer from unix:{tmp_path}/none.sock: No such file or directory\n"


@pytest.mark.parametrize("answer, complaint", [
    ((403, "not from here\n"), "answers 403: not from here"), ((200, "no json"), "is no status report"),
    ((200, {"version": "1"}), "is no status report"), ((404, "no such page\n"), "answers 404")])
def test_what_is_no_report(port, tmp_path, answer, complaint):
    port.answers["/status.json"] = answer
    code, output, complaints = plainly(path=tmp_path / "admin.sock")
    assert (code, output) == (1, "")
    assert complaint in complaints


def test_wrong_usage(tmp_path):
    for arguments in (["--count", "0"], ["--interval", "soon"], ["--interval", "1ms"]):
        code, output, complaint = plainly(*arguments, path=tmp_path / "admin.sock")
        assert code == 64 and not output and complaint


@pytest.mark.parametrize("keys", ["q", "\x03"], ids=["q", "Ctrl-C"])
def test_live_until_a_key(port, top, keys):
    screen = top()
    screen.wait_for("web", "up")
    wait_until(lambda: len(port.asked) >= 3, "it goes on asking")
    port.answers["/status.json"] = (200, report(route(presence="down", since=1_795_252_020.0, latest=sample(up=False))))
    lines = screen.wait_for("down 16s")
    assert max(len(line) for line in lines) <= 100
    screen.type(keys)
    assert screen.end() == 0
    assert screen.output.startswith(ENTER) and screen.output.endswith(LEAVE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_ends_it(port, top, number):
    screen = top()
    screen.wait_for("web")
    screen.process.send_signal(number)
    assert screen.end() == 0


def test_count_ends_it(port, top):
    assert top("--count", "3").end() == 0
    assert len(port.asked) == 3


def test_stopped_and_continued(port, top):
    """Ctrl-Z gives the shell its terminal back, and fg takes it again."""
    screen = top()
    screen.wait_for("web")
    screen.type("\x1a")
    wait_until(lambda: open(f"/proc/{screen.process.pid}/stat").read().rpartition(")")[2].split()[0] == "T",
               "it is stopped")
    screen.read()
    assert screen.output.endswith(LEAVE)
    assert termios.tcgetattr(screen.slave) == screen.before
    screen.process.send_signal(signal.SIGCONT)
    wait_until(lambda: screen.read() or screen.output.count(ENTER) == 2, "it is back")
    screen.type("q")
    assert screen.end() == 0


def test_survives_a_restart(port, top, tmp_path):
    screen = top()
    screen.wait_for("web")
    port.stop()
    lines = screen.wait_for("no answer since")
    assert "No such file" in lines[0] or "refused" in lines[0]
    assert any(line.startswith("web") for line in lines)
    with AdminPort(path=str(tmp_path / "admin.sock"), answers={
            "/status.json": (200, report(route(name="api"), start_time=1_795_252_035.0))}):
        assert "running for 1s" in screen.wait_for("api")[0]
        screen.type("q")
        assert screen.end() == 0
    port._path = None  # its file has gone


def test_is_there_before_the_proxy(top, tmp_path):
    screen = top()
    wait_until(lambda: screen.read() or "no answer from" in screen.output, "it says so")
    with AdminPort(path=str(tmp_path / "admin.sock"), answers={"/status.json": (200, report(route()))}):
        screen.wait_for("web")
        screen.type("q")
        assert screen.end() == 0


def test_follows_the_window(port, top):
    screen = top(rows=24, columns=120)
    assert "TO CLIENT/S" in screen.wait_for("NEW/S")[1]
    for columns in (80, 60, 40, 20, 5, 1):
        screen.resize(10, columns)
        lines = wait_until(
            lambda: screen.shown and max(map(len, screen.shown)) <= columns and screen.shown, f"{columns} columns")
        assert len(lines) <= 10
        if columns >= 40:
            assert lines[1].startswith("ROUTE") and "APP" in lines[1]
    screen.resize(2, 80)
    wait_until(lambda: len(screen.shown) == 2, "two lines")
    screen.type("q")
    assert screen.end() == 0


def test_scrolls(port, top):
    names = [f"route-{number:02}" for number in range(30)]
    port.answers["/status.json"] = (200, report(*[route(name=name) for name in names]))
    screen = top(rows=14)

    def first():
        return next((line.split()[0] for line in screen.shown if line.startswith("route-")), None)

    screen.wait_for("1-10 of 30", "route-00", "route-09")
    for keys, name in [("\x1b[B", "route-01"), ("j", "route-02"), ("\x1bOA", "route-01"), ("\x1b[6~", "route-11"),
                       ("G", "route-20"), ("\x1b[B", "route-20"), ("\x1b[5~", "route-10"), ("\x1b[H", "route-00"),
                       ("k", "route-00"), ("\x1b[C", "route-00")]:
        screen.type(keys)
        wait_until(lambda: first() == name, f"{name} is the first after {keys!r}")
    screen.type("q")
    assert screen.end() == 0


def test_colours_can_be_refused(port, top):
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]m")
    screen = top()
    screen.wait_for("web")
    assert colour.search(screen.output)
    plain = top(NO_COLOR="1")
    plain.wait_for("web")
    assert not colour.search(plain.output)
    dumb = top("--count", "1", TERM="dumb")
    wait_until(lambda: dumb.process.poll() is not None, "it has ended")
    dumb.read()
    assert "web" in dumb.output and "\x1b" not in dumb.output


def test_nothing_commands_the_terminal(port, top):
    evil = "\x1b]0;title\x07\x9b2Jname"
    port.answers["/status.json"] = (200, report(route(name=evil), messages=[
        {"time": 1_795_252_030.0, "level": "error", "text": f"{evil}\nsecond line", "count": 3}]))
    screen = top()
    lines = screen.wait_for("(3 times)")
    assert "title" in "\n".join(lines) and "second line" not in "\n".join(lines)
    assert "\x1b]" not in screen.output and "\x9b" not in screen.output and "\x07" not in screen.output


def test_the_terminal_goes(port, top):
    screen = top()
    screen.wait_for("web")
    os.close(screen._master)
    assert screen.process.wait(10) is not None
    screen._master = os.open("/dev/null", os.O_RDONLY)


def test_a_slow_answer_stops_no_key(port, top):
    screen = top("--timeout", "30s")
    screen.wait_for("web")

    ended = threading.Event()

    def slowly():
        ended.wait(30)
        return 200, report(route())

    port.answers["/status.json"] = slowly
    asked = len(port.asked)
    wait_until(lambda: len(port.asked) > asked, "it has asked")
    started = time.monotonic()
    screen.type("q")
    assert screen.end() == 0
    assert time.monotonic() - started < 3
    ended.set()


def test_of_the_real_one(container, outside, loopbridge, tmp_path):
    """Through its restart, with an app that comes."""
    arguments = ("--admin-socket", str(tmp_path / "admin.sock"), "--hold", "10s", "8080:8000")
    program = loopbridge(*arguments)
    screen = Screen([PROGRAM, "top", "--interval", "100ms", "--admin-socket", arguments[1]])
    try:
        assert "1 route" in screen.wait_for("0.0.0.0:8080", "down")[0]
        with connect(outside, Cable.CONTAINER, 8080) as client:
            # down 3s, one connection, one who waits
            wait_until(lambda: re.search(r"down( \w+)? +1 +1 ", screen.shown[2]), "a client waits")
            with App(container, echo):
                client.sendall(b"x" * 100_000)
                assert len(read_exactly(client, 100_000)) == 100_000
                screen.wait_for(" up ")
        program.terminate()
        screen.wait_for("no answer since")
        loopbridge(*arguments)
        assert "running for" in screen.wait_for("running for")[0]
        screen.type("q")
        assert screen.end() == 0
    finally:
        screen.close()
