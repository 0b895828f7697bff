"""Connections of which the test holds both ends: the client's outside, the app's inside."""

from support.namespaces import Cable
from support.sockets import connect
from support.waiting import wait_until


class Pairs:
    """Makes pairs through a loopbridge that listens on `port`."""

    def __init__(self, program, outside, container, app, port=8080):
        self.program = program
        self._outside, self._container, self._app, self._port = outside, container, app, port

    def make(self, **options):
        """A client's socket and the app's socket that belongs to it, timeouts set, nothing sent yet."""
        client = connect(self._outside, Cable.CONTAINER, self._port, **options)
        return client, self._app.next()

    def wait_until_resets_arrived(self, ports, service):
        """Waits until no connection in the container joins one of these ports with the one of a service: 8000 for the
        app's connections, 8080 for the clients'. Without it, a client may be found that has the port of a way to the app.

        A reset takes the socket off the kernel's list as soon as it arrives, whether the program looks or not.
        """
        def is_left(local, remote):
            return (local in ports and remote == service) or (local == service and remote in ports)

        wait_until(
            lambda: not any(is_left(local, remote) for _, local, remote, _ in self._container.connections()),
            "the resets have arrived", interval=0.001)
