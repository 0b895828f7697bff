"""An app that counts how many connections it has at a time, and never one too many for being late to look."""

import selectors
import socket
import threading
import time

from support.sockets import LOOPBACK


class CountingApp:
    """Answers each connection's first words after a while, then ends it.

    `most` is the largest number of connections that were open at a time; `order` the first words in the order in which
    their connections came. It looks for ended connections after accepting one: an end that came before is seen then.
    """

    def __init__(self, namespace, pause=0.005, port=8000):
        self.most = 0
        self._first_words = {}
        self.accepted = 0
        self._pause = pause
        self._words = {}
        self._numbers = {}
        self._due = {}
        self._listener = namespace.socket(timeout=None)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((LOOPBACK, port))
        self._listener.listen(4096)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ends.is_set():
            for key, _ in self._selector.select(0.002):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._words:
                    self._read(key.fileobj)
            for connection in [c for c, due in self._due.items() if due <= time.monotonic()]:
                try:
                    connection.sendall(b"served " + self._words[connection])
                except OSError:
                    pass
                self._close(connection)

    @property
    def order(self):
        return [words for _, words in sorted(self._first_words.items())]

    def _accept(self):
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        self.accepted += 1
        self._words[connection] = b""
        self._numbers[connection] = self.accepted
        self._selector.register(connection, selectors.EVENT_READ)
        for key, _ in self._selector.select(0):
            if key.fileobj is not self._listener and key.fileobj is not connection:
                self._read(key.fileobj)
        self.most = max(self.most, len(self._words))

    def _read(self, connection):
        """Takes all that is there: an end may stand behind words that came before it."""
        while True:
            try:
                data = connection.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                return self._close(connection)
            if not self._words[connection]:
                self._words[connection] = data
                self._first_words[self._numbers[connection]] = data
                self._due[connection] = time.monotonic() + self._pause

    def _close(self, connection):
        self._due.pop(connection, None)
        del self._words[connection], self._numbers[connection]
        self._selector.unregister(connection)
        connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join(10)
        for connection in [*self._words, self._listener]:
            connection.close()
