"""The admin port, as tools ask it."""

import json

from support.http import Reader
from support.sockets import LOOPBACK, connect

PORT = 9901


class Answer:
    """A response of the admin port: `status`, `body` and, by their names in lower case, header fields."""

    def __init__(self, message):
        self._message = message
        self.status = message.status
        self.text = message.body.decode()

    def __getitem__(self, name):
        value = self._message[name.encode()]
        return None if value is None else value.decode()

    def json(self):
        assert self["content-type"] == "application/json", self["content-type"]
        return json.loads(self.text)


def ask(namespace, target, address=LOOPBACK, port=PORT, method="GET", accept=None, fields=(), body=b""):
    """Asks once, on a connection of its own. `address` may be the path of a Unix socket."""
    lines = [f"{method} {target} HTTP/1.1", "Host: admin.test", "Connection: close", *fields]
    if accept is not None:
        lines.append(f"Accept: {accept}")
    with connect(namespace, address, port) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        reader = Reader(connection)
        answer = Answer(reader.message(body_follows=method != "HEAD"))
        assert reader.rest() == b"", "there is more than it said"
    return answer


def samples(text):
    """The samples of a text of metrics: {name with labels: value}."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
    assert len({name for name, _ in lines}) == len(lines), "a sample comes twice"
    return {name: float(value) for name, value in lines}


def metrics(namespace, **options):
    answer = ask(namespace, "/metrics", **options)
    assert answer.status == 200
    return samples(answer.text)


#: Its pages, and the type of each.
PATHS = {
    "/": "text/html; charset=utf-8",
    "/metrics": "text/plain; version=0.0.4; charset=utf-8",
    "/healthz": "text/plain; charset=utf-8",
    "/readyz": "text/plain; charset=utf-8",
    "/status.json": "application/json",
    "/history.json": "application/json",
    "/configuration.yaml": "text/plain; charset=utf-8",
    "/doctor.json": "application/json",
}
LISTEN = ("--admin-listen", f"0.0.0.0:{PORT}")


def listening_ports(container):
    """Returns the ports on which somebody inside listens."""
    return {local for _, local, _, state in container.connections() if state == "0A"}


def unix_socket(folder):
    """Returns the path of an admin socket in a folder."""
    return str(folder / "admin.sock")
