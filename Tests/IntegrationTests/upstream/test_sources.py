"""The addresses that the app sees connections come from: one address, from one for each client, from others when ports run out."""

import contextlib
import ipaddress

import pytest

from support.apps import App
from support.namespaces import Cable
from support.sockets import LOOPBACK, LOOPBACK_V6, connect, read_exactly, reset
from support.waiting import wait_until

# No client's, and what stands in when ports run out.
SPARES = ipaddress.ip_network("127.0.128.0/17")
PORTS = 20


class AppWithLog(App):
    """Keeps its connections open, and logs by which peer each word was sent."""

    def __init__(self, namespace, **options):
        self.log = {}
        super().__init__(namespace, self._serve_one, **options)

    def _serve_one(self, connection):
        address, port = connection.getpeername()[:2]
        while word := connection.recv(100):
            self.log[word.decode()] = f"{address}:{port}"
            connection.sendall(word)

    @property
    def addresses(self):
        """The peers' addresses."""
        return {peer.rpartition(":")[0] for peer in self.log.values()}


@contextlib.contextmanager
def clients(outside, words, sources=(None,), server=Cable.CONTAINER):
    """One client for each word, that has sent it, from the sources in turn."""
    found = {}
    try:
        for number, word in enumerate(words):
            source = sources[number % len(sources)]
            address = Cable.CONTAINER_V6 if source and ":" in source else server
            found[word] = connect(outside, address, 8080, source=source, timeout=20)
            found[word].sendall(word.encode())
        yield found
    finally:
        for client in found.values():
            client.close()


def read_back(found):
    for word, client in found.items():
        assert read_exactly(client, len(word)).decode() == word


def name(client):
    """A client as the access log names it."""
    address, port = client.getsockname()[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def narrow(container):
    """Leaves few ports for what is connected from inside the container."""
    container.sysctl("net.ipv4.ip_local_port_range", f"40000 {40000 + PORTS - 1}")


def test_as_many_addresses_as_clients_and_the_same_ones_later(container, outside, loopbridge):
    sources = [f"172.17.0.{number}" for number in range(100, 130)] + [f"fd00:17::{number:x}" for number in range(100, 130)]
    for source in sources:
        if ":" in source:
            outside.ip("addr", "add", source + "/64", "dev", "eth0", "nodad")
        else:
            outside.ip("addr", "add", source + "/24", "dev", "eth0")
    words = {source: [f"{source}-{number};" for number in range(2)] for source in sources}
    seen = []
    # Another number of workers, for nothing may depend on which of them it is.
    for workers in ("1", "2"):
        program = loopbridge("--workers", workers, "--source", "per_client", "8080:8000")
        with AppWithLog(container) as app:
            names = {}
            for source in sources:
                with clients(outside, words[source], [source]) as found:
                    read_back(found)
                    names.update({word: name(client) for word, client in found.items()})
            program.wait_for_closed(len(names))
            assert len(app.addresses) == len(sources)
            seen.append({
                source: {app.log[word].rpartition(":")[0] for word in words[source]} for source in sources})
            # The app's log can be read backwards: of each of its peers the access log says which client it was.
            logged = {line["source"]: line["client"] for line in program.closed()}
            assert logged == {app.log[word]: names[word] for word in names}
        assert program.terminate() == 0
        assert not program.messages("no port left")
    assert seen[0] == seen[1]
    assert all(len(addresses) == 1 for addresses in seen[0].values())
    assert seen[0]["172.17.0.100"] == {"127.17.0.100"}
    assert all(
        address.startswith("127.") and not address.startswith("127.0.")
        for addresses in seen[0].values() for address in addresses)


def test_otherwise_the_log_does_not_name_the_source(container, outside, loopbridge):
    program = loopbridge("8080:8000")
    with AppWithLog(container) as app, clients(outside, ["hello"]) as found:
        read_back(found)
        assert app.addresses == {LOOPBACK}
    assert "source" not in program.wait_for_closed()


def test_app_on_ipv6_is_reached_without(container, outside, loopbridge):
    program = loopbridge("--workers", "2", "--source", "per_client", "8080:8000")
    with AppWithLog(container, address=LOOPBACK_V6) as app:
        with clients(outside, [f"{number};" for number in range(20)]) as found:
            read_back(found)
        assert app.addresses == {LOOPBACK_V6}
    program.wait_for_closed(20)
    assert len(program.messages("does not see clients by addresses of their own")) == 1


@pytest.mark.parametrize("workers", ["1", "2"])
def test_more_connections_than_one_address_has_ports(container, outside, loopbridge, workers):
    narrow(container)
    program = loopbridge("--workers", workers, "8080:8000")
    words = [f"{number};" for number in range(8 * PORTS)]
    with AppWithLog(container) as app:
        with clients(outside, words) as found:
            read_back(found)
            assert len(set(app.log.values())) == len(words)
            spares = app.addresses - {LOOPBACK}
            assert len(spares) >= 7
            assert all(ipaddress.ip_address(spare) in SPARES for spare in spares)
            assert sum(peer.startswith(LOOPBACK + ":") for peer in app.log.values()) == PORTS
            assert len(program.messages("127.0.0.1 has no port left")) == 1
        program.wait_for_closed(len(words))
        assert {line["end"] for line in program.closed()} == {"finished"}
        # Once it is not the kernel's choice any more, it is named.
        named = {line["source"] for line in program.closed() if "source" in line}
        assert {peer for peer in app.log.values() if not peer.startswith(LOOPBACK + ":")} <= named


def test_more_connections_of_one_client_than_its_address_has_ports(container, outside, loopbridge):
    narrow(container)
    outside.ip("addr", "add", "172.17.0.9/24", "dev", "eth0")
    program = loopbridge("--source", "per_client", "8080:8000")
    words = [f"{number};" for number in range(3 * PORTS)]
    with AppWithLog(container) as app:
        with clients(outside, words) as many, clients(outside, ["other"], ["172.17.0.9"]) as other:
            read_back(many)
            read_back(other)
            # Others keep their own.
            assert app.log.pop("other").startswith("127.17.0.9:")
            assert sum(peer.startswith("127.17.0.1:") for peer in app.log.values()) == PORTS
            assert all(
                ipaddress.ip_address(address) in SPARES for address in app.addresses - {"127.17.0.1"})
            assert len(set(app.log.values())) == len(words)
        program.wait_for_closed(len(words) + 1)
        logged = {line["source"] for line in program.closed() if line["client"].startswith(Cable.OUTSIDE + ":")}
        assert logged == set(app.log.values())
    assert len(program.messages("127.17.0.1, which stands for the client 172.17.0.1, has no port left")) == 1


@pytest.mark.parametrize("source", ["default", "per_client"])
def test_more_wait_for_the_app_than_there_are_ports(container, outside, loopbridge, source):
    """A lack of ports says nothing about the app."""
    narrow(container)
    program = loopbridge("--workers", "2", "--source", source, "8080:8000")
    words = [f"{number};" for number in range(6 * PORTS)]
    with clients(outside, words) as found:
        program.wait_for_message("is not listening")
        with AppWithLog(container) as app:
            read_back(found)
            assert len(set(app.log.values())) == len(words)
            for client in found.values():
                client.close()
    program.wait_for_closed(len(words))
    assert len(program.messages("is not listening")) == 1
    assert len(program.messages("no port left")) == 1
    assert {line["end"] for line in program.closed()} == {"finished"}


def test_app_on_ipv6_has_no_more_than_one_address_can_carry(container, outside, loopbridge):
    """Its further clients are told at once, rather than left waiting for an app that listens."""
    narrow(container)
    program = loopbridge("--workers", "1", "8080:8000")
    with AppWithLog(container, address=LOOPBACK_V6) as app:
        with clients(outside, [f"{number};" for number in range(PORTS)]) as found:
            read_back(found)
            for _ in range(3):
                # The reset may overtake connect()'s own return.
                with pytest.raises(ConnectionResetError), connect(outside, Cable.CONTAINER, 8080) as client:
                    assert client.recv(100) != b"", "a clean end"
            program.wait_for_closed(3)
            assert {line["end"] for line in program.closed()} == {
                "cannot connect to the app: Cannot assign requested address"}
            reset(found.popitem()[1])
            wait_until(lambda: app.connections == PORTS - 1, "one port is free")
            with clients(outside, ["again"]) as again:
                read_back(again)
    assert len(program.messages("no port is left for connections to the app at [::1]:8000")) == 1
    assert not program.messages("is not listening")


def test_loopback_without_its_neighbours(container, outside, loopbridge):
    """Clients share 127.0.0.1 where the machine has no other loopback address, and the log says so."""
    container.ip("addr", "del", "127.0.0.1/8", "dev", "lo")
    container.ip("addr", "add", "127.0.0.1/32", "dev", "lo")
    program = loopbridge("--workers", "1", "--source", "per_client", "8080:8000")
    with AppWithLog(container) as app, clients(outside, [f"{number};" for number in range(5)]) as found:
        read_back(found)
        assert app.addresses == {LOOPBACK}
    program.wait_for_closed(5)
    assert len(program.messages("clients have no addresses of their own: 127.17.0.1 cannot be had")) == 1


def test_clients_on_loopback_are_told_apart(container, loopbridge):
    loopbridge("--source", "per_client", "127.0.0.1:9000:8000")
    with AppWithLog(container) as app:
        for source in ("127.0.0.1", "127.0.0.2", "127.9.9.9"):
            client = connect(container, LOOPBACK, 9000, source=source)
            client.sendall(source.encode())
            assert read_exactly(client, len(source)).decode() == source
            client.close()
        assert len(app.addresses) == 3
        assert app.log["127.9.9.9"].startswith("127.9.9.9:")
        assert not any(address.startswith("127.0.") for address in app.addresses)
