"""An app that is a process of its own, so that it can be killed and started again."""

import subprocess
import sys

from support.sockets import LOOPBACK
from support.waiting import wait_until

# Answers each connection's first words with its own process id, and ends when the client does.
_ANSWERS = """
import os, socket, sys, threading
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
def serve(connection):
    with connection:
        try:
            while connection.recv(65536):
                connection.sendall(b"%d\\n" % os.getpid())
        except OSError:
            pass
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""

# Python's own web server, one connection at a time, in the current directory.
_ONE_AT_A_TIME = """
import http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments): pass
http.server.HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


class RestartableApp:
    """Runs from being made until stop(), with any number of restarts in between."""

    def __init__(self, namespace, code=_ANSWERS, port=8000, folder=None):
        self._namespace = namespace
        self._code = code
        self._port = port
        self._folder = folder
        self._process = None
        self.start()

    @classmethod
    def web_server(cls, namespace, folder, port=8000):
        """Python's http.server, single-threaded, with the files of a folder."""
        return cls(namespace, _ONE_AT_A_TIME, port, folder)

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        """Starts it; it listens some time later."""
        self._process = subprocess.Popen(
            self._namespace.command(sys.executable, "-c", self._code, LOOPBACK, str(self._port)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder)

    def wait_until_listening(self):
        wait_until(lambda: self._namespace.listens_on(self._port), "the app listens")
        return self

    def kill(self):
        """Kills it; once this returns, the kernel has ended all of its connections."""
        self._process.kill()
        self._process.wait(10)

    def stop(self):
        self.kill()

    def __enter__(self):
        return self.wait_until_listening()

    def __exit__(self, *_):
        self.stop()
