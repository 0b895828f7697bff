"""A container with little memory, and crowds that want more: it is never killed, and serves whom it has let in."""

import resource
import threading

import pytest

from engine.network import NetworkOf
from support.actors.crowd import Crowd, Stuffer
from support.apps import App, echo
from support.sockets import connect, read_exactly
from support.tls import Authority
from support.waiting import wait_until

PORTS = {"readers": 8080, "handshakes": 8443, "uploads": 8080}
CROWDS = [("readers", 5000), ("handshakes", 2000), ("uploads", 1000)]


def is_echoed(client):
    client.sendall(b"hello")
    return read_exactly(client, 5) == b"hello"


def lets_in(host, address):
    try:
        with connect(host, address, 8090) as client:
            return is_echoed(client)
    except (OSError, EOFError):
        return False


@pytest.fixture
def files(tmp_path):
    """A folder with a configuration and a certificate, for a container to mount."""
    pair = Authority(tmp_path).issue("server", "DNS:example.test")
    tmp_path.chmod(0o755)
    for path in tmp_path.iterdir():
        path.chmod(0o644)
    (tmp_path / "config.yaml").write_text(f"""
workers: 2
log: {{ access: false }}
routes:
  - {{ name: tcp, listen: "8080", upstream: "localhost:8000" }}
  - name: tls
    listen: "8443"
    upstream: "localhost:8000"
    tls: {{ certificate: /etc/loopbridge/{pair.certificate.rpartition("/")[2]}, key: /etc/loopbridge/{pair.key.rpartition("/")[2]} }}
  - {{ name: good, listen: "8090", upstream: "localhost:8010" }}
""")
    return tmp_path


@pytest.mark.limit(300)
@pytest.mark.parametrize("kind, count", CROWDS, ids=[kind for kind, _ in CROWDS])
@pytest.mark.parametrize("limit", [64, 32])
def test_lives_with_little_memory(container, host, files, kind, count, limit):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    program = container(
        "loopbridge", "serve", options=(
            "--memory", f"{limit}m", "--memory-swap", f"{limit}m", "--volume", f"{files}:/etc/loopbridge:ro",
            # Keeps the buffers of the clients and the apps, which are the machine's, within bounds.
            "--sysctl", "net.ipv4.tcp_wmem=4096 16384 65536", "--sysctl", "net.ipv4.tcp_rmem=4096 65536 131072"))
    program.wait_until_listening(8090)
    address = program.addresses[0]
    with NetworkOf(program) as inside, App(inside, echo, port=8010), Stuffer(inside, sends=kind == "readers"), \
            connect(host, address, 8090) as good:
        with Crowd(host, address, PORTS[kind]) as crowd:
            coming = threading.Thread(target=crowd.add, args=(count, kind))
            coming.start()
            while coming.is_alive():
                assert is_echoed(good), "who was there is served meanwhile"
                coming.join(0.05)
            assert is_echoed(good)
            assert crowd.count_refused() < count, "some are let in"
        wait_until(lambda: lets_in(host, address), "new clients are let in again", limit=30, interval=0.2)
        assert is_echoed(good)
    assert program.is_running, program.log
    assert program.inspect(".State.OOMKilled") is False
