"""`loopbridge health`: the admin port's word as an exit code."""

import os
import subprocess
import time

import pytest

from support.actors.canned_admin import AdminPort
from support.apps import App, echo
from support.settings import PROGRAM
from support.waiting import wait_until

WELL = {"/healthz": (200, "ok\n"), "/readyz": (200, "web: the app at localhost:8000 is listening\n")}


@pytest.fixture
def health(container):
    """Runs it in the container; returns exit code, output and what it complained about."""
    def ask(*arguments, **environment):
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LOOPBRIDGE_")}
        result = subprocess.run(
            container.command(PROGRAM, "health", *arguments), env={**clean, **environment}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30)
        return result.returncode, result.stdout, result.stderr
    return ask


@pytest.mark.parametrize("arguments, environment", [
    (["--admin-listen", "127.0.0.1:9901"], {}), (["--admin-listen", "9901"], {}),
    (["--admin-listen", "0.0.0.0:9901"], {}), ([], {"LOOPBRIDGE_ADMIN_LISTEN": "0.0.0.0:9901"}),
    (["--admin-listen", "127.0.0.1:9901"], {"LOOPBRIDGE_ADMIN_LISTEN": "127.0.0.1:9999"})])
def test_asks_at_an_address(container, health, arguments, environment):
    with AdminPort(container, answers=WELL) as port:
        assert health(*arguments, **environment) == (0, "ok\n", "")
        assert health("--ready", *arguments, **environment) == (0, WELL["/readyz"][1], "")
        assert port.asked == ["/healthz", "/readyz"]


def test_asks_at_an_address_of_ipv6(container, health):
    with AdminPort(container, ("::1", 9901), answers=WELL):
        assert health("--admin-listen", "[::]:9901") == (0, "ok\n", "")
        assert health("--admin-listen", "9901") == (0, "ok\n", "")


@pytest.mark.parametrize("way", ["option", "environment", "both"])
def test_asks_on_a_socket(health, tmp_path, way):
    path = str(tmp_path / "admin.sock")
    options = ["--admin-socket", path] if way != "environment" else []
    environment = {"LOOPBRIDGE_ADMIN_SOCKET": path if way == "environment" else "/nowhere.sock"} \
        if way != "option" else {}
    with AdminPort(path=path, answers=WELL):
        assert health(*options, **environment) == (0, "ok\n", "")


def test_asks_where_the_file_says(container, health, tmp_path):
    file = tmp_path / "loopbridge.yaml"
    file.write_text("admin: {listen: 0.0.0.0:9901}\nroutes: [{listen: 8080, upstream: 8000}]\n")
    with AdminPort(container, answers=WELL):
        assert health("--config", str(file)) == (0, "ok\n", "")
        assert health(LOOPBRIDGE_CONFIG=str(file)) == (0, "ok\n", "")
        # The image names a socket for everybody, which need not be there.
        assert health(LOOPBRIDGE_CONFIG=str(file), LOOPBRIDGE_ADMIN_SOCKET=str(tmp_path / "none")) == (0, "ok\n", "")


def test_a_fault_of_the_file_does_not_matter_where_it_is_not_needed(container, health, tmp_path):
    """A running loopbridge goes on with what it has read before; so must its health."""
    file = tmp_path / "loopbridge.yaml"
    file.write_text("admin: {lisen: 9901}\n")
    with AdminPort(container, answers=WELL):
        assert health(LOOPBRIDGE_CONFIG=str(file), LOOPBRIDGE_ADMIN_LISTEN="9901") == (0, "ok\n", "")
    code, _, complaint = health(LOOPBRIDGE_CONFIG=str(file))
    assert code == 1 and "did you mean 'listen'?" in complaint


def test_a_socket_that_answers_needs_no_file(health, tmp_path):
    path, file = str(tmp_path / "admin.sock"), tmp_path / "loopbridge.yaml"
    file.write_text("nonsense\n")
    with AdminPort(path=path, answers=WELL):
        assert health(LOOPBRIDGE_CONFIG=str(file), LOOPBRIDGE_ADMIN_SOCKET=path) == (0, "ok\n", "")


def test_not_well(container, health):
    silent = "worker 1 has not answered for 7 s\n"
    missing = "web: the app at localhost:8000 is not listening\n"
    with AdminPort(container, answers={"/healthz": (503, silent), "/readyz": (503, missing)}):
        assert health("--admin-listen", "9901") == (1, silent, "")
        assert health("--admin-listen", "9901", "--ready") == (1, missing, "")


def test_not_allowed(container, health):
    with AdminPort(container, answers={"/healthz": (403, "127.0.0.1 may not ask here\n")}):
        assert health("--admin-listen", "9901") == (1, "127.0.0.1 may not ask here\n", "")


def test_nobody_is_there(health, tmp_path):
    code, output, complaint = health("--admin-listen", "127.0.0.1:9901")
    assert (code, output) == (1, "")
    assert complaint == "loopbridge: no answer from 127.0.0.1:9901: Connection refused\n"
    code, output, complaint = health("--admin-socket", str(tmp_path / "none"))
    assert (code, output) == (1, "")
    assert complaint == f"loopbridge: no answer from unix:{tmp_path}/none: No such file or directory\n"


def test_there_is_no_admin_port(health):
    code, output, complaint = health()
    assert (code, output) == (1, "")
    assert "there is no admin port to ask" in complaint and "LOOPBRIDGE_ADMIN_SOCKET" in complaint


def test_nobody_answers(container, health):
    """It listens, and that is all: the kernel accepts for it."""
    with container.socket() as listener:
        listener.bind(("127.0.0.1", 9901))
        listener.listen()
        started = time.monotonic()
        code, _, complaint = health("--admin-listen", "127.0.0.1:9901", "--timeout", "300ms")
        assert code == 1 and "no answer from 127.0.0.1:9901: nothing came within 300ms" in complaint
        assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("answer", [
    b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nok\n", b"SSH-2.0-OpenSSH\r\n\r\n"])
def test_no_answer_of_an_admin_port(container, health, answer):
    def says(connection):
        connection.recv(4096)
        connection.sendall(answer)

    with App(container, says, port=9901):
        code, output, complaint = health("--admin-listen", "127.0.0.1:9901")
    assert (code, output) == (1, "")
    assert "without a whole answer" in complaint


def answering(container, answer):
    """An app at the admin port that answers whoever asks with these bytes, and closes."""
    def says(connection):
        connection.recv(4096)
        try:
            connection.sendall(answer)
        except OSError:
            pass  # The client has heard enough, and hangs up.

    return App(container, says, port=9901)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("answer", [
    CHUNKED + b"1\r\no\r\n2;a=b\r\nk\n\r\n0\r\nTrailer: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
    b"HTTP/1.0 200\r\n\r\nok\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\nwhat nobody has announced"],
    ids=["chunked", "early hints", "until the end", "more than announced"])
def test_answers_of_every_framing(container, health, answer):
    with answering(container, answer):
        assert health("--admin-listen", "127.0.0.1:9901") == (0, "ok\n", "")


@pytest.mark.parametrize("answer, complaint", [
    (CHUNKED + b"3\r\nok\n\r\n", "without a whole answer"),
    (CHUNKED + b"3\r\nok\n\r\n0\r\n", "without a whole answer"),
    (CHUNKED + b"3 \r\nok\n\r\n0\r\n\r\n", "without a whole answer: A chunk's "),
    (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nok\n", "without a whole answer: Its status line "),
    (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (64 << 10), "without a whole answer: "),
    (b"HTTP/1.1 103 Early Hints\r\n\r\n", "without a whole answer"),
    (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (17 << 20), "the answer is too large"),
    (CHUNKED + (b"100000\r\n" + b"x" * (1 << 20) + b"\r\n") * 17, "the answer is too large")],
    ids=["no last chunk", "no end of the trailers", "a wrong chunk", "bare line feeds", "an endless head", "hints only",
         "too large", "too many chunks"])
def test_answers_that_are_not_whole(container, health, answer, complaint):
    with answering(container, answer):
        code, output, said = health("--admin-listen", "127.0.0.1:9901")
    assert (code, output) == (1, "") and complaint in said


@pytest.mark.parametrize("arguments", [
    ["--timeout", "soon"], ["--timeout", "0"], ["--admin-listen", "nonsense"], ["--admin-socket", "relative.sock"]])
def test_wrong_usage(health, arguments):
    code, output, complaint = health(*arguments)
    assert code in (1, 64) and not output and complaint


@pytest.mark.parametrize("way", ["socket", "address"])
def test_of_the_real_one(container, health, loopbridge, tmp_path, way):
    """The health that it reports, from its start to its end."""
    place = ("--admin-socket", str(tmp_path / "admin.sock")) if way == "socket" else ("--admin-listen", "9901")
    program = loopbridge(*place, "--hold", "1s", "8080:8000")
    assert health(*place) == (0, "ok\n", "")
    code, output, _ = health("--ready", *place)
    assert code == 1 and "the app at localhost:8000 is not listening" in output
    with App(container, echo):
        wait_until(lambda: health("--ready", *place)[0] == 0, "it is ready")
    program.terminate()
    code, output, complaint = health(*place)
    assert (code, output) == (1, "") and "no answer from" in complaint


def test_of_the_real_one_that_cannot_have_its_socket(container, health, loopbridge):
    """Traffic goes on, and so does what is said at the address."""
    program = loopbridge("--admin-socket", "/proc/admin.sock", "--admin-listen", "127.0.0.1:9901", "8080:8000")
    assert program.wait_for_message("no admin port at unix:/proc/admin.sock")["part"] == "admin"
    assert health("--admin-socket", "/proc/admin.sock", "--admin-listen", "9901") == (0, "ok\n", "")
