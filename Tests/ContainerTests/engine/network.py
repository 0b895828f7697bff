"""The network of a container, for sockets of the tests that are to be inside."""

import os

from support.namespaces import Namespace


class NetworkOf(Namespace):
    """A container's network namespace, in which apps and clients can be played; close() it before the container goes."""

    def __init__(self, container):
        self._descriptor = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)

    def close(self):
        os.close(self._descriptor)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
