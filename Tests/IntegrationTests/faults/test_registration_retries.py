"""Registrations that the system refuses once: they are tried again, and reported meanwhile, instead of missing for good."""

import contextlib
import signal
import subprocess

import pytest

from support import datagrams
from support.admin import PORT, ask
from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.datagrams import DatagramApp
from support.loopbridge import Loopbridge
from support.namespaces import Cable
from support.sockets import connect, read_exactly
from support.waiting import stays_true, wait_until

CANNOT_LISTEN = 71


@contextlib.contextmanager
def refused(thread, *calls):
    """Has these calls of one thread fail, each with its error, while the context lasts."""
    injections = [word for call, error in calls for word in ("-e", f"inject={call}:error={error}")]
    tracer = subprocess.Popen(
        ["strace", "-o", "/dev/null", *injections, "-p", str(thread)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for line in tracer.stderr:
            if b"attached" in line:
                break
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
        tracer.stderr.close()


def thread_of(program, name):
    return wait_until(
        lambda: next((task for task, found in program.tasks().items() if found == name), None), f"there is {name}")


def echoes(namespace, *place):
    try:
        with connect(namespace, *place, timeout=5) as client:
            client.sendall(b"x")
            return read_exactly(client, 1) == b"x"
    except (OSError, EOFError):
        return False


def readiness(container, *place):
    answer = ask(container, "/readyz", *place)
    return answer.status, answer.text


@pytest.mark.limit(180)
@pytest.mark.parametrize("workers", [1, 2])
def test_a_start_works_in_the_end_or_says_why_not(container, outside, tmp_path, workers):
    """The k-th registration of each thread fails, for every k that there is."""
    admin, web = str(tmp_path / "admin.sock"), str(tmp_path / "web.sock")
    file = ConfigurationFile(
        tmp_path, route(8080, 8000, "tcp"), route(f"unix:{web}", 8000, "unix"),
        route(8053, 5300, "udp", protocol="udp"), admin=f"{{ socket: {admin} }}", workers=workers)
    served = []
    with App(container, echo), DatagramApp(container):
        for number in range(1, 9):
            program = Loopbridge(
                container, "--config", file.path,
                wrapper=("strace", "-DDD", "-f", "-o", "/dev/null", "-e", f"inject=epoll_ctl:error=ENOSPC:when={number}"))
            try:
                wait_until(lambda: program.messages("forwarding to") or not program.is_running, "it has started, or not", 20)
                if not program.messages("forwarding to"):
                    assert program.wait() == CANNOT_LISTEN
                    [sentence] = [line["message"] for line in program.log if line["level"] == "error"]
                    assert sentence.endswith(": No space left on device")
                    continue
                # The registration that fails may be a client's own: that one is reset, and nobody else.
                failed = sum(
                    not works for _ in range(8) for works in
                    (echoes(outside, Cable.CONTAINER, 8080), echoes(container, web), passes_datagrams(outside)))
                assert failed <= workers, program.describe()
                wait_until(lambda: is_ready(container, admin), "it is ready")
                served.append(number)
                assert program.terminate() == 0
            finally:
                program.kill()
    assert len(served) >= 4, served


def is_ready(container, *place):
    try:
        return readiness(container, *place)[0] == 200
    except (OSError, EOFError):
        return False


def passes_datagrams(namespace):
    """Within some tries: what finds nobody is dropped, as datagrams are."""
    with datagrams.client(namespace, Cable.CONTAINER, timeout=1) as asking:
        for _ in range(10):
            with contextlib.suppress(OSError):
                if datagrams.ask(asking) == b"hello":
                    return True
        return False


@pytest.mark.limit(120)
@pytest.mark.parametrize("error", ["ENOSPC", "ENOMEM"])
def test_a_worker_that_cannot_register_a_listener_tries_again(container, outside, loopbridge, tmp_path, error):
    """Clients who come meanwhile wait, and are served when it works."""
    web = str(tmp_path / "web.sock")
    settings = {"admin": f"{{ listen: {PORT} }}", "workers": 1}
    file = ConfigurationFile(tmp_path, route(8070, 8000, "first"), **settings)
    program = loopbridge("--config", file.path)
    with App(container, echo), DatagramApp(container):
        wait_until(lambda: readiness(container)[0] == 200, "it is ready")
        with refused(thread_of(program, "worker-0"), ("epoll_ctl", error)):
            file.set(
                route(8070, 8000, "first"), route(8080, 8000, "tcp"), route(f"unix:{web}", 8000, "unix"),
                route(8053, 5300, "udp", protocol="udp"), **settings)
            program.signal(signal.SIGHUP)
            program.wait_for_message("reloaded: ")
            line = program.wait_for_message("cannot accept connections for now")
            assert line["level"] == "warning" and line["reason"].startswith("epoll_ctl: ")

            def says_so():
                status, text = readiness(container)
                return status == 503 and all(
                    f"{name}: worker 0 cannot accept clients yet, and tries again (epoll_ctl: " in text
                    for name in ("tcp", "unix", "udp"))

            wait_until(says_so, "it is said")
            assert "first: worker 0" not in readiness(container)[1]
            early = [connect(outside, Cable.CONTAINER, 8080), connect(container, web)]
            for client in early:
                client.sendall(b"y")
            stays_true(lambda: readiness(container)[0] == 503, "it stays said", 1.5)
        for client in early:
            assert read_exactly(client, 1) == b"y"
            client.close()
        assert passes_datagrams(outside)
        wait_until(lambda: readiness(container)[0] == 200, "it is ready again")
        assert program.is_running


@pytest.mark.limit(120)
def test_what_is_given_up_meanwhile_is_closed(container, outside, loopbridge, tmp_path):
    """A listener that a reload takes away again while the worker could not register it."""
    settings = {"admin": f"{{ listen: {PORT} }}", "workers": 1}
    file = ConfigurationFile(tmp_path, route(8070, 8000, "first"), **settings)
    program = loopbridge("--config", file.path)
    with App(container, echo):
        with refused(thread_of(program, "worker-0"), ("epoll_ctl", "ENOSPC")):
            file.set(route(8070, 8000, "first"), route(8080, 8000, "second"), **settings)
            program.signal(signal.SIGHUP)
            program.wait_for_message("cannot accept connections for now")
            file.set(route(8070, 8000, "first"), **settings)
            program.signal(signal.SIGHUP)
            program.wait_for_message("reloaded: ", count=2)
            wait_until(lambda: not container.listens_on(8080), "it is closed")
        assert echoes(outside, Cable.CONTAINER, 8070)
        wait_until(lambda: readiness(container)[0] == 200, "it is ready")


@pytest.mark.limit(120)
def test_an_admin_port_that_cannot_be_registered_is_tried_again(container, loopbridge, tmp_path):
    path = str(tmp_path / "admin.sock")
    file = ConfigurationFile(tmp_path, route(8080, 8000, "web"), admin=f"{{ listen: {PORT} }}")
    program = loopbridge("--config", file.path)
    assert ask(container, "/healthz").status == 200
    with refused(program.pid, ("epoll_ctl", "ENOSPC")):
        file.set(route(8080, 8000, "web"), admin=f"{{ listen: {PORT}, socket: {path} }}")
        program.signal(signal.SIGHUP)
        line = program.wait_for_message("no admin port at")
        assert line["level"] == "warning"
    wait_until(lambda: program.messages("serving the admin port at unix:"), "it works at last", limit=15)
    assert ask(container, "/healthz", path).status == ask(container, "/healthz").status == 200


@pytest.mark.limit(120)
def test_a_listener_that_cannot_be_opened_is_not_ready(container, loopbridge, tmp_path):
    """As the control thread sees it: no memory for a socket."""
    settings = {"admin": f"{{ listen: {PORT} }}"}
    file = ConfigurationFile(tmp_path, route(8070, 8000, "first"), **settings)
    program = loopbridge("--config", file.path)
    with App(container, echo):
        wait_until(lambda: readiness(container)[0] == 200, "it is ready")
        with refused(program.pid, ("listen", "EADDRINUSE")):
            file.set(route(8070, 8000, "first"), route("127.0.0.1:8080", 8000, "second"), **settings)
            program.signal(signal.SIGHUP)
            wait_until(
                lambda: "second: cannot listen on 127.0.0.1:8080 yet, and tries again" in readiness(container)[1],
                "it is said")
            assert readiness(container)[0] == 503
        wait_until(lambda: readiness(container)[0] == 200, "it works at last", limit=15)
        assert echoes(container, "127.0.0.1", 8080)
