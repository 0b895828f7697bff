"""wrk, a load generator, and an app that keeps up with it."""

import re
import signal
import subprocess

_UNITS = {"us": 0.001, "ms": 1, "s": 1000}
_SIZES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}


class Wrk:
    """A load of kept connections; it goes on until it is stopped, a minute at the most."""

    def __init__(self, namespace, url, connections=20):
        self._process = subprocess.Popen(
            namespace.command("wrk", "-t1", f"-c{connections}", "-d60", "--latency", url),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def stop(self):
        """Ends the load and returns what it has seen; fails when a request has failed."""
        try:
            self._process.send_signal(signal.SIGINT)
            output, _ = self._process.communicate(timeout=20)
        finally:
            self._process.kill()
            self._process.wait()
        assert "Socket errors" not in output and "Non-2xx" not in output, output
        return WrkReport(output)


class WrkReport:
    """wrk's figures at its end: `requests`, `bytes` (received, to three digits), `slowest_percent` (ms)."""

    def __init__(self, output):
        requests, size, unit = re.search(r"(\d+) requests in [\d.]+m?s, ([\d.]+)([KMG]?B) read", output).groups()
        self.requests = int(requests)
        self.bytes = float(size) * _SIZES[unit]
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
        self.slowest_percent = float(number) * _UNITS[unit]
        assert self.requests > 100, output


# One thread, kept connections, the same answer to whatever is asked.
HTTP_SERVER = ["/usr/bin/python3", "-c", """
import selectors, socket
listener = socket.create_server(("127.0.0.1", 8000), backlog=100)
selector = selectors.DefaultSelector()
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            selector.register(listener.accept()[0], selectors.EVENT_READ)
            continue
        try:
            data = key.fileobj.recv(65536)
            if data:
                key.fileobj.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 5\\r\\n\\r\\nhello" * data.count(b"\\r\\n\\r\\n"))
        except OSError:
            data = b""
        if not data:
            selector.unregister(key.fileobj)
            key.fileobj.close()
"""]
