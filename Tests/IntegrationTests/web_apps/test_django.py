"""The project's reason to exist: an app made for 127.0.0.1, reached from outside, nothing about it changed.

A real project made by django-admin, served by its development server.
"""


import pytest

from support.namespaces import Cable, run
from support.processes import Process
from support.sockets import connect, read_to_end
from support.waiting import wait_until

pytest.importorskip("django")
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    directory = tmp_path_factory.mktemp("site")
    run(PYTHON, "-m", "django", "startproject", "mysite", str(directory))
    return directory


@pytest.fixture
def django(container, project):
    """Starts the development server, and waits until it listens where nothing else is said."""
    started = []

    def start(address="127.0.0.1", wait=True):
        ipv6 = ["--ipv6"] if ":" in address else []
        place = f"[{address}]:8000" if ipv6 else f"{address}:8000"
        before = container.listens_on(8000)
        server = Process(
            container.command(PYTHON, "-B", "manage.py", "runserver", "--noreload", *ipv6, place), cwd=project)
        started.append(server)
        if wait:
            wait_until(lambda: container.listens_on(8000) > before, "Django listens", limit=20)
        return server

    yield start
    for server in started:
        server.stop()


def get(outside, host, port):
    """Asks for the front page; returns the answer's head and body."""
    with connect(outside, host, port, timeout=20) as client:
        name = f"[{host}]" if ":" in host else host
        # Django answers other names with 400 unless they are in ALLOWED_HOSTS, which is the app's own affair.
        client.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        answer, error = read_to_end(client)
        assert error is None, f"{name}: {error}"
    return answer.partition(b"\r\n\r\n")


def assert_front_page(outside, host, port):
    head, _, body = get(outside, host, port)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), head
    assert b"The install worked successfully!" in body
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length"))
    assert len(body) == length


def test_without_loopbridge_nobody_reaches_it(outside, django):
    django()
    for host in (Cable.CONTAINER, Cable.CONTAINER_V6):
        with pytest.raises(ConnectionRefusedError):
            connect(outside, host, 8000)


@pytest.mark.parametrize("first", ["app", "loopbridge"])
def test_same_port(outside, django, loopbridge, first):
    if first == "app":
        django()
        loopbridge("8000")
    else:
        loopbridge("8000")
        django()
    for host in (Cable.CONTAINER, Cable.CONTAINER_V6):
        assert_front_page(outside, host, 8000)


def test_same_port_written_out(outside, django, loopbridge):
    django()
    loopbridge("0.0.0.0:8000:127.0.0.1:8000")
    assert_front_page(outside, Cable.CONTAINER, 8000)


@pytest.mark.parametrize("first", ["app", "loopbridge"])
def test_other_port(outside, django, loopbridge, first):
    if first == "app":
        django()
    loopbridge("8080:8000")
    if first == "loopbridge":
        django()
    for host in (Cable.CONTAINER, Cable.CONTAINER_V6):
        assert_front_page(outside, host, 8080)


@pytest.mark.parametrize("route, port", [("8000", 8000), ("8080:8000", 8080)])
def test_app_on_ipv6_loopback_only(outside, django, loopbridge, route, port):
    django("::1")
    loopbridge(route)
    for host in (Cable.CONTAINER, Cable.CONTAINER_V6):
        assert_front_page(outside, host, port)


def test_who_asks_while_it_starts_is_answered(outside, django, loopbridge):
    loopbridge("8000")
    django(wait=False)
    assert_front_page(outside, Cable.CONTAINER, 8000)
