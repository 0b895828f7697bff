"""HTTP of which each side knows what must come: an app and its clients."""

from clients import Wrong
from exchanges import PORT, data
from support.http import HTTPApp, Reader, chunks, get, ok, post
from support.sockets import reset

_SIZES = {"small": 200, "large": 2_000_000, "chunked": 100_000, "close": 100_000}


_UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"


class Refused(OSError):
    """An answer that says that something went wrong."""


class WebApp:
    """Answers by the target: /KIND/SEED; `violations` has what it saw that must not be."""

    def __init__(self, namespace, port=PORT):
        self.violations = []
        self._app = HTTPApp(namespace, self._answer, port=port)

    def _answer(self, request):
        _, kind, seed, *_ = request.line.split(b" ")[1].decode().split("/")
        seed = int(seed)
        if kind == "upload":
            # A body that is cut off never gets here: its framing shows it.
            if request.body != data(seed, len(request.body)):
                self.violations.append("the app got a body that is not that of the client")
            request.connection.sendall(ok(b"%d taken" % len(request.body)))
        elif kind == "chunked":
            parts = [bytes(data(seed, 100_000)[at:at + 25_000]) for at in range(0, 100_000, 25_000)]
            request.connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(*parts))
        elif kind == "close":
            request.connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + data(seed, _SIZES[kind]))
            return False
        elif kind == "upgrade":
            request.connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            # Bytes that come with the head are in the reader already.
            request.connection.sendall(request.reader.exactly(5000))
            request.reader.rest()
            return False
        else:
            request.connection.sendall(ok(data(seed, _SIZES[kind])))
        return True

    def let_go(self):
        """Ends the connections that are kept."""
        for connection in self._app._all:
            try:
                connection.shutdown(2)
            except OSError:
                pass
        self._app._all.clear()

    def stop(self):
        self._app.stop()


def answer(reader, expected):
    """Reads an answer; Refused if it says that it is none, Wrong if it is whole and not what is expected."""
    try:
        message = reader.message(body_follows=False)
        if message[b"transfer-encoding"] == b"chunked":
            raw, body = reader.chunks()
            if not raw.endswith(b"0\r\n\r\n"):
                raise EOFError("the stream ended in a chunked body")
        elif (length := message[b"content-length"]) is not None:
            body = reader.exactly(int(length))
        else:
            body = reader.rest()
    except ValueError as error:
        raise EOFError(f"the stream ended in a chunked body: {error}") from None
    if message.status >= 400:
        raise Refused(f"answer {message.status}")
    if message.status != 200 or body != expected:
        raise Wrong(f"answer {message.status} that looks whole, with {len(body)} bytes instead of the {len(expected)}")


def fetching(seed, *kinds):
    """Requests one behind the other on one connection."""
    def talk(connection):
        reader = Reader(connection)
        try:
            for number, kind in enumerate(kinds):
                if kind == "upload":
                    connection.sendall(post(bytes(data(seed + number, 150_000)), f"/upload/{seed + number}"))
                    answer(reader, b"150000 taken")
                else:
                    connection.sendall(get(f"/{kind}/{seed + number}"))
                    answer(reader, data(seed + number, _SIZES[kind]))
        finally:
            reader.close()
    return talk


def upgrading(seed):
    """Leaves HTTP for plain bytes both ways."""
    def talk(connection):
        reader = Reader(connection)
        try:
            connection.sendall(get(f"/upgrade/{seed}", _UPGRADE))
            message = reader.message(body_follows=False)
            if message.status != 101:
                raise Refused(f"answer {message.status}")
            connection.sendall(data(seed, 5000))
            if reader.exactly(5000) != data(seed, 5000):
                raise Wrong("5000 bytes that are not those that were sent")
        finally:
            reader.close()
    return talk


def leaving_web(seed):
    """Resets the connection in the middle of a large answer."""
    def talk(connection):
        connection.sendall(get(f"/large/{seed}"))
        connection.recv(1000)
        reset(connection)
    return talk
