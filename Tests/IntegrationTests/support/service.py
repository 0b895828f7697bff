"""What a service manager does: it keeps listening sockets, passes them on, and hears what becomes of it."""

import fcntl
import os
import select
import socket

from support.loopbridge import Loopbridge


def passing(sockets, names=None, pid="$$"):
    """A command line that passes the sockets on, by the protocol of sd_listen_fds(3), to what it is put in front of."""
    variables = f"LISTEN_PID={pid} LISTEN_FDS={len(sockets)}"
    if names is not None:
        variables += f" LISTEN_FDNAMES={':'.join(names)}"
    # By numbers far above those that are to be theirs first.
    moves = " ".join(f"{3 + index}<&{sock.fileno()} {sock.fileno()}<&-" for index, sock in enumerate(sockets))
    return ["/bin/bash", "-c", f'export {variables}; exec "$@" {moves}', "bash"]


class Activated(Loopbridge):
    """A loopbridge that is given sockets."""

    def __init__(self, namespace, sockets, *arguments, names=None, pid="$$", **options):
        # Above all numbers that they are to have.
        high = [socket.socket(fileno=_high(sock.fileno())) for sock in sockets]
        try:
            for sock in high:
                os.set_inheritable(sock.fileno(), True)
            super().__init__(namespace, *arguments, wrapper=passing(high, names, pid), passed=high, **options)
        finally:
            for sock in high:
                sock.close()


def _high(number):
    return fcntl.fcntl(number, fcntl.F_DUPFD, 200)


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
