"""A bounded load of which every single request is known."""

import threading
import time
from typing import NamedTuple

from engine.browser import WORKS, shows_answer
from support.sockets import connect, read_to_end
from support.waiting import wait_until

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


class Request(NamedTuple):
    """One request on a connection of its own; the times are the monotonic clock's."""
    connected: float
    ended: float
    result: str

    @property
    def answered(self):
        return self.result == WORKS


class Load:
    """Clients that ask again and again, until they cannot connect, are told to stop, or the time is over."""

    def __init__(self, host, address, port, clients, duration):
        self.requests = []
        self._host, self._address, self._port = host, address, port
        self._deadline = time.monotonic() + duration
        self._stopping = threading.Event()
        self._clients = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for client in self._clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def _ask(self):
        while not self._stopping.is_set() and time.monotonic() < self._deadline:
            try:
                connection = connect(self._host, self._address, self._port, timeout=15)
            except OSError:
                return  # it was not let in
            connected = time.monotonic()
            with connection:
                try:
                    connection.sendall(_REQUEST)
                    answer, error = read_to_end(connection)
                    result = repr(error) if error else shows_answer(answer)
                except OSError as error:
                    result = repr(error)
            self.requests.append(Request(connected, time.monotonic(), result))

    def wait_for_answers(self, count):
        wait_until(lambda: sum(request.answered for request in self.requests) >= count, f"{count} answers", limit=20)

    def stop(self):
        self._stopping.set()
        for client in self._clients:
            client.join(20)
