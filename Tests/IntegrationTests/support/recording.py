"""An app without threads, which does nothing of its own: what has reached it at a given moment is certain."""

import select
import socket
import time

from support.sockets import LOOPBACK, resets_when_closed


class RecordedConnection:
    """A connection to the app and what has arrived on it since somebody asked."""

    def __init__(self, socket, number):
        self.socket = socket
        self.number = number
        self.received = b""
        #: None while it is open, then "end" or "reset".
        self.ended = None

    def send(self, data):
        self.socket.setblocking(True)
        self.socket.settimeout(10)
        self.socket.sendall(data)
        self.socket.setblocking(False)

    def close(self):
        self.ended = self.ended or "closed"
        self.socket.close()

    def reset(self):
        resets_when_closed(self.socket)
        self.close()


class RecordingApp:
    """Takes connections and bytes only while the test waits for them or looks; made and used on one thread."""

    def __init__(self, namespace, port=8000):
        self.listener = namespace.socket(timeout=None)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((LOOPBACK, port))
        self.listener.listen(1024)
        self.listener.setblocking(False)
        self.connections = []

    def _look(self, seconds):
        """Takes what is there; returns whether there was anything."""
        open_ones = {connection.socket: connection for connection in self.connections if not connection.ended}
        ready, _, _ = select.select([self.listener, *open_ones], [], [], seconds)
        for one in ready:
            if one is self.listener:
                new, _ = self.listener.accept()
                new.setblocking(False)
                new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections.append(RecordedConnection(new, len(self.connections)))
                continue
            connection = open_ones[one]
            try:
                data = one.recv(1 << 20)
                connection.received += data
                if not data:
                    connection.ended = "end"
            except ConnectionResetError:
                connection.ended = "reset"
            if connection.ended:
                one.close()
        return bool(ready)

    def look(self):
        """Takes everything that has arrived so far. What loopbridge had sent before this is called is all there: on
        loopback, a send returns after the bytes are in the other socket."""
        while self._look(0):
            pass

    def take(self, count, limit=10.0):
        """Waits for so many bytes, and returns all that have arrived with the connection on which they did."""
        def has_arrived():
            return sum(len(connection.received) for connection in self.connections) >= count

        self._wait(has_arrived, limit, f"{count} bytes")
        self.look()
        speaking = [connection for connection in self.connections if connection.received]
        assert len(speaking) == 1, f"{[connection.received for connection in speaking]}"
        data, speaking[0].received = speaking[0].received, b""
        return speaking[0], data

    def take_all(self):
        """Everything that has arrived by now, on whichever connections."""
        self.look()
        data = b"".join(connection.received for connection in self.connections)
        for connection in self.connections:
            connection.received = b""
        return data

    def wait_for_end(self, connection, limit=10.0):
        """Waits until the other side has ended a connection; returns how."""
        self._wait(lambda: connection.ended, limit, f"the end of connection {connection.number}")
        return connection.ended

    def _wait(self, condition, limit, what):
        deadline = time.monotonic() + limit
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, (
                f"waited {limit:g} s for {what}, have {[connection.received[:500] for connection in self.connections]}")
            self._look(left)

    def forget(self):
        """Closes its connections, so that nothing of them is left for what comes next."""
        self.look()
        for connection in self.connections:
            connection.close()
        self.connections = []

    def stop(self):
        self.forget()
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
