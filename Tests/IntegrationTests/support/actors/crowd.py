"""Thousands of clients that cost memory, and an app that lets them: all in one thread, in sockets that do not block."""

import selectors
import socket
import ssl
import threading

from support.sockets import LOOPBACK, family_of, name_of

_PIECE = bytes(64 << 10)


class Stuffer:
    """An app that never reads to the end: it sends for as long as it can, or leaves what it is sent where it is."""

    def __init__(self, namespace, port=8000, sends=True):
        self._sends = sends
        self._listener = namespace.socket(family_of(LOOPBACK), timeout=None)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(name_of(LOOPBACK, port))
        self._listener.listen(4096)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._ending = threading.Event()
        self._kept = []
        self.accepted = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._ending.is_set():
            for key, _ in self._selector.select(0.1):
                if key.fileobj is self._listener:
                    self._accept()
                else:
                    self._serve(key.fileobj)

    def _accept(self):
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        self.accepted += 1
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_WRITE if self._sends else selectors.EVENT_READ)

    def _serve(self, connection):
        try:
            if self._sends:
                connection.send(_PIECE)
                return
            if connection.recv(1, socket.MSG_PEEK):
                self._selector.unregister(connection)
                self._kept.append(connection)
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            pass
        self._selector.unregister(connection)
        connection.close()

    def stop(self):
        self._ending.set()
        self._thread.join(10)
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        for connection in self._kept:
            connection.close()
        self._selector.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Crowd:
    """Clients that connect as fast as they can, say their first words, and then read nothing.

    kind: `readers` read nothing of what comes, `uploads` send for as long as the kernel takes it, `handshakes` say the first
    message of TLS and no other, `heads` send the first `head` bytes of a request and no end.
    """

    def __init__(self, namespace, address, port, head=24 << 10):
        self._namespace, self._name = namespace, (address, port)
        self._head = head
        self.clients = []
        #: How many were reset, as far as that has been looked at.
        self.refused = 0

    def add(self, count, kind):
        """Adds so many, one after the other."""
        words = {"readers": b"x\n", "handshakes": first_message(), "uploads": _PIECE,
                 "heads": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * self._head}[kind]
        for _ in range(count):
            client = self._namespace.socket(family_of(self._name[0]), timeout=None)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(10)
            try:
                client.connect(self._name)
                client.setblocking(False)
                while client.send(words) and kind == "uploads":
                    pass
            except BlockingIOError:
                pass
            except OSError:
                self.refused += 1
                client.close()
                continue
            self.clients.append(client)

    def send(self, data):
        """Has all of them say something more."""
        for client in self.clients:
            try:
                client.send(data)
            except OSError:
                pass

    def count_refused(self):
        """Looks which of them have been reset; returns how many there are in all."""
        left = []
        for client in self.clients:
            if client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.refused += 1
                client.close()
            else:
                left.append(client)
        self.clients = left
        return self.refused

    def leave(self):
        """Ends all of them."""
        for client in self.clients:
            client.close()
        self.clients = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.leave()


def first_message():
    """Returns the first message of a client of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="example.test").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()
