"""HTTP/1 by hand, where every byte matters: an app and a client that say exactly what a test has them say.

```python
with HTTPApp(container) as app:
    client = Client(outside).send(get("/"))
    request = app.next_request()         # its head and its body as they arrived
    request.answer(ok(b"hello"))
    assert client.response().body == b"hello"
```
"""

import queue
import socket
import threading

from support.apps import Listener
from support.namespaces import Cable
from support.sockets import LOOPBACK, connect

HOST = b"Host: example.test\r\n"


def get(target="/", fields=b"", method="GET", version="1.1"):
    """A request without a body."""
    return b"%s %s HTTP/%s\r\n" % (method.encode(), target.encode(), version.encode()) + HOST + fields + b"\r\n"


def post(body, target="/", fields=b""):
    """A request with a body of known length."""
    return get(target, b"Content-Length: %d\r\n" % len(body) + fields, "POST") + body


def ok(body=b"", fields=b"", status=b"200 OK"):
    """An answer with a body of known length."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n" % (status, len(body)) + fields + b"\r\n" + body


def chunks(*parts):
    """A chunked body."""
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


class Message:
    """A head and its body: `line` is the first line, `fields` a list of (name in lower case, value)."""

    def __init__(self, head, body, raw_body):
        self.head = head
        self.body = body
        self.raw_body = raw_body
        lines = head.split(b"\r\n")[:-2]
        self.line = lines[0]
        self.fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in lines[1:])]

    def __getitem__(self, name):
        """The only value of a field; None where there is none."""
        values = [value for other, value in self.fields if other == name.lower()]
        assert len(values) <= 1, f"{name} comes {len(values)} times: {self.head}"
        return values[0] if values else None

    @property
    def status(self):
        return int(self.line.split(b" ")[1])


class Reader:
    """Reads messages from a connection, one behind the other."""

    def __init__(self, connection):
        self._file = connection.makefile("rb")

    def head(self):
        """The next head with its empty line; b"" at the end of the stream."""
        lines = []
        while True:
            line = self._file.readline()
            lines.append(line)
            if line in (b"\r\n", b""):
                return b"".join(lines)

    def message(self, body_follows=True):
        head = self.head()
        if not head.endswith(b"\r\n\r\n"):
            raise EOFError(f"the stream ended in a head: {head!r}")
        message = Message(head, b"", b"")
        if not body_follows:
            return message
        if message[b"transfer-encoding"] == b"chunked":
            message.raw_body, message.body = self.chunks()
        elif (length := message[b"content-length"]) is not None:
            message.body = message.raw_body = self.exactly(int(length))
        return message

    def exactly(self, count):
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError(f"the stream ended after {len(data)} of {count} bytes")
        return data

    def chunks(self):
        raw, body = b"", b""
        while True:
            line = self._file.readline()
            raw += line
            size = int(line, 16)
            if size == 0:
                while (line := self._file.readline()) not in (b"\r\n", b""):
                    raw += line
                return raw + line, body
            piece = self._file.read(size + 2)
            raw += piece
            body += piece[:-2]

    def rest(self):
        """Everything up to the end of the stream."""
        return self._file.read()

    def close(self):
        self._file.close()


class Request(Message):
    """A request as the app got it, together with the connection on which it came."""

    def __init__(self, message, connection, number):
        super().__init__(message.head, message.body, message.raw_body)
        self.connection = connection
        #: Which of the app's connections it is, from 0.
        self.number = number
        self._answered = threading.Event()

    def answer(self, data, close=False):
        """Sends the answer; the app then reads the connection's next request, unless it is to close it."""
        self.connection.sendall(data)
        self.done(close)

    def done(self, close=False):
        self._closes = close
        self._answered.set()


class HTTPApp(Listener):
    """An app that hands each request to the test, in the order in which they come, and waits for its answer.

    answer: a function of the request that answers it; without it the test calls next_request().
    reads_body: whether bodies are read before the request is handed on.
    """

    def __init__(self, namespace, answer=None, reads_body=True, address=LOOPBACK, port=8000, backlog=4096,
                 receive_buffer=None):
        self._requests = queue.Queue()
        self._answer = answer
        self._reads_body = reads_body
        self._all = []
        self.served = 0
        super().__init__(namespace, address, port, backlog, receive_buffer)

    def _arrived(self, connection):
        connection.settimeout(30)
        number = len(self._all)
        self._all.append(connection)
        threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        reader = Reader(connection)
        try:
            while True:
                request = Request(reader.message(body_follows=self._reads_body), connection, number)
                request.reader = reader
                self.served += 1
                if self._answer:
                    if self._answer(request) is False:
                        break
                    continue
                self._requests.put(request)
                if not request._answered.wait(30) or request._closes:
                    break
        except (OSError, EOFError, ValueError):
            pass
        finally:
            reader.close()
            connection.close()

    def next_request(self, limit=10.0):
        return self._requests.get(timeout=limit)

    def has_request(self):
        return not self._requests.empty()

    def stop(self):
        self.stop_listening()
        for connection in self._all:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def answers(data):
    """An app's function that gives every request the same answer."""
    return lambda request: request.connection.sendall(data)


class Client:
    """A client's connection to loopbridge, whose answers are read one behind the other."""

    def __init__(self, namespace, address=Cable.CONTAINER, port=8080, **options):
        self.connection = connect(namespace, address, port, **options)
        self._reader = Reader(self.connection)

    def send(self, data):
        self.connection.sendall(data)
        return self

    def response(self, method="GET"):
        """The next response, an informational one too."""
        head = self._reader.message(body_follows=False)
        if method == "HEAD" or head.status < 200 or head.status in (204, 304):
            return head
        if head[b"transfer-encoding"] == b"chunked":
            head.raw_body, head.body = self._reader.chunks()
        elif (length := head[b"content-length"]) is not None:
            head.body = head.raw_body = self._reader.exactly(int(length))
        else:
            head.body = head.raw_body = self._reader.rest()
        return head

    def ask(self, data, method="GET"):
        return self.send(data).response(method)

    def rest(self):
        """Everything up to the end of the stream; fails when it is a reset."""
        return self._reader.rest()

    def close(self):
        self._reader.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
