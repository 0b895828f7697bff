"""Clients on threads of their own, and what became of each: right, failed so that it could see it, wrong, or hung."""

import threading
import time

from support.sockets import reset

# The seconds after which a wait has failed. Nothing in the scenarios takes a tenth of it.
LIMIT = 8.0

RIGHT, FAILED, WRONG, HUNG = "right", "failed visibly", "wrong", "hung"


class Wrong(Exception):
    """Something that looked complete, and was not what was asked for."""


class Client(threading.Thread):
    """Runs a function with a new connection; `outcome` tells what became of it.

    open: makes the connection. talk: says and hears everything on it, raises Wrong for what must not be, any
    other error for an end that the client sees. A connection that fails is reset, so that its other side does not take
    the end for a finished stream.
    """

    def __init__(self, name, open, talk):
        super().__init__(name=name, daemon=True)
        self.outcome = None
        self.detail = ""
        self._open = open
        self._talk = talk
        self.start()

    def run(self):
        try:
            connection = self._open()
        except BaseException as error:
            self._ended_by(error)
            return
        try:
            connection.settimeout(LIMIT)
            self._talk(connection)
            connection.close()
            self.outcome = RIGHT
        except BaseException as error:
            self._reset(connection)
            self._ended_by(error)

    @staticmethod
    def _reset(connection):
        try:
            reset(connection)
        except OSError:
            connection.close()

    def _ended_by(self, error):
        self.detail = f"{self.name}: {type(error).__name__}: {error}"
        if isinstance(error, TimeoutError):
            self.outcome = HUNG
        elif isinstance(error, (OSError, EOFError)):
            self.outcome = FAILED
        else:
            self.outcome = WRONG

    @property
    def is_done(self):
        return not self.is_alive()


def wait_for(clients, limit):
    """Waits until all are done or the time is over; returns whether they are."""
    deadline = time.monotonic() + limit
    for client in clients:
        client.join(max(0, deadline - time.monotonic()))
    return all(client.is_done for client in clients)
