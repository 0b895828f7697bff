"""Small apps that listen in a namespace: a function for each connection, on a thread of its own.

```python
with App(container, echo) as app: ...
```
"""

import socket
import threading

from support.sockets import LOOPBACK, family_of, name_of
from support.waiting import wait_until


class Listener:
    """Listens on one address from being made until stop_listening(), and hands on what it accepts."""

    def __init__(self, namespace, address, port, backlog, receive_buffer):
        self.accepted = 0
        self.listener = namespace.socket(family_of(address), timeout=None)
        if self.listener.family != socket.AF_UNIX:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(name_of(address, port))
        self.listener.listen(backlog)
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._arrived(connection)

    def stop_listening(self):
        """Takes no more connections; those that are open go on."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # ends accept(), which close() alone would not
        except OSError:
            pass
        self._accepting.join(10)
        self.listener.close()


class App(Listener):
    """An app made of a function that is called with each connection, on a thread of its own.

    The connection is closed when the function returns; an OSError ends it quietly, and any other failure is
    told by stop().
    """

    def __init__(self, namespace, serve, address=LOOPBACK, port=8000, backlog=4096, receive_buffer=None):
        self._serve = serve
        self._open = set()
        self._lock = threading.Lock()
        self._threads = []
        self.failures = []
        super().__init__(namespace, address, port, backlog, receive_buffer)

    def _arrived(self, connection):
        with self._lock:
            self._open.add(connection)
        thread = threading.Thread(target=self._run, args=(connection,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self, connection):
        try:
            self._serve(connection)
        except OSError:
            pass
        except Exception as failure:
            self.failures.append(failure)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    @property
    def connections(self):
        """The number of open connections."""
        with self._lock:
            return len(self._open)

    def stop(self):
        """Ends everything; fails when the function did."""
        self.stop_listening()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a connection of the app does not end"
        if self.failures:
            raise self.failures[0]

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            self.stop()
        except Exception:
            if kind is None:
                raise  # otherwise the test's own failure says more


class AppInHand(Listener):
    """An app that accepts and leaves the connections to the test."""

    def __init__(self, namespace, address=LOOPBACK, port=8000, backlog=4096, receive_buffer=None):
        self._waiting = []
        self._all = []
        super().__init__(namespace, address, port, backlog, receive_buffer)

    def _arrived(self, connection):
        connection.settimeout(10)
        self._all.append(connection)
        self._waiting.append(connection)

    def next(self):
        """The connection that has arrived, or arrives, next."""
        wait_until(lambda: self._waiting, "a connection to the app", interval=0.001)
        return self._waiting.pop(0)

    @property
    def all(self):
        """Every connection that has arrived so far."""
        return list(self._all)

    def stop(self):
        """Closes everything."""
        self.stop_listening()
        for connection in self._all:
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def echo(connection):
    """Sends back what it gets, and ends when the client has."""
    while data := connection.recv(65536):
        connection.sendall(data)


def silent(connection):
    """Reads everything, answers nothing, ends when the client does."""
    while connection.recv(65536):
        pass


def greets(word):
    """Answers a first line with a word and the line, then ends."""
    def serve(connection):
        line = connection.recv(65536)
        connection.sendall(word + b" " + line)
    return serve


def sends_what_is_asked(connection):
    """Reads a number of bytes, as text in a line, and sends so many; again and again until the client ends."""
    with connection.makefile("rb") as requests:
        for line in requests:
            left = int(line)
            while left:
                left -= connection.send(_ZEROES[:min(left, len(_ZEROES))])


_ZEROES = memoryview(bytes(1 << 20))
