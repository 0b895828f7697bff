"""A service manager: it keeps listening sockets, passes them on, and hears what becomes of it."""

import fcntl
import os
import select
import socket

from support.loopbridge import Loopbridge


def passing(numbers, names=None, pid="$$"):
    """A command line that passes these descriptors on, by the protocol of sd_listen_fds(3), to what it is put in front of."""
    variables = f"LISTEN_PID={pid} LISTEN_FDS={len(numbers)}"
    if names is not None:
        variables += f" LISTEN_FDNAMES={':'.join(names)}"
    moves = " ".join(f"{3 + index}<&{number} {number}<&-" for index, number in enumerate(numbers))
    return ["/bin/bash", "-c", f'export {variables}; exec "$@" {moves}', "bash"]


class Activated(Loopbridge):
    """A loopbridge that is given sockets."""

    def __init__(self, namespace, sockets, *arguments, names=None, pid="$$", **options):
        # Above all numbers that they are to have.
        high = [fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD, 200) for sock in sockets]
        try:
            super().__init__(namespace, *arguments, wrapper=passing(high, names, pid), passed=high, **options)
        finally:
            for number in high:
                os.close(number)


class Manager:
    """A socket to which notifications are sent (sd_notify(3)); `heard` has each one as a dictionary."""

    def __init__(self, name):
        self.name = name
        self.heard = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0", 1) if name.startswith("@") else name)

    def wait_for(self, line, limit=10.0):
        """Waits for a notification that has the line; returns it."""
        while True:
            ready, _, _ = select.select([self._socket], [], [], limit)
            assert ready, f"no {line}, but {self.heard}"
            message = dict(part.split("=", 1) for part in self._socket.recv(4096).decode().split("\n"))
            self.heard.append(message)
            if line.split("=")[1] == message.get(line.split("=")[0]):
                return message

    def is_silent(self, seconds):
        """Whether nothing comes for so long, but for what has come already."""
        while select.select([self._socket], [], [], 0)[0]:
            self._socket.recv(4096)
        return not select.select([self._socket], [], [], seconds)[0]

    def close(self):
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
