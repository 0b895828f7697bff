"""Scenarios in which the control thread has to do something: reload, addresses that come and go, the admin port, the hold."""

import signal
import time

from clients import LIMIT, RIGHT, Client, Wrong, wait_for
from exchanges import ExchangeApp, direct, small_rounds
from scenario import Scenario, seed
from streams import TCP
from support.configuration import route, text_of
from support.http import Reader
from support.namespaces import Cable, Namespace
from support.sockets import LOOPBACK

# For how long an action waits for its effect while a call fails; what has not come by then has to come once it is over.
_WHILE_FAILING = 0.35


def comes(condition, limit):
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.003)
    return True


class Reload(TCP):
    """A file that is read again: one route stays, one goes, one comes."""

    name = "reload"
    haproxy = None
    _other = 8090

    @property
    def routes(self):
        return (*TCP.routes, route(f"127.0.0.1:{self._other}", "127.0.0.1:8000", hold="2s"))

    def drive(self):
        clients = [Client("small rounds", self.open(), small_rounds(seed(), 20))]
        self._other = 8091 if self._other == 8090 else 8090
        self._reload()
        self._has_changed(_WHILE_FAILING)
        return clients

    def _reload(self):
        self.write_configuration()
        try:
            self.program.signal(signal.SIGHUP)
        except ProcessLookupError:
            pass

    def _has_changed(self, limit):
        gone = 8091 if self._other == 8090 else 8090
        return comes(lambda: self.container.listens_on(self._other) and not self.container.listens_on(gone), limit)

    def recover(self):
        # A reload that failed has changed nothing, and is asked for again.
        if not self._has_changed(0):
            self._reload()
            if not self._has_changed(LIMIT):
                return ["recovery: a reload after the fault does not take effect"]
        following = Client("new route", self.open(self._other), small_rounds(seed(), 1))
        wait_for([following], LIMIT)
        return [] if following.outcome == RIGHT else [f"recovery: the new route does not serve: {following.detail}"]


class SamePort(Scenario):
    """The app's own port, on addresses that come and go."""

    name = "same-port"
    routes = (route('"8000"', "127.0.0.1:8000", hold="2s"),)
    ports = (8000,)
    SECOND = "172.17.0.9"

    def prepare(self):
        self.outside = Namespace("outside")
        Cable(self.outside, self.container)

    def remove(self):
        super().remove()
        self.outside.remove()

    def arguments(self, path):
        return ["--workers", "1", "--drain", "2s", "--hold", "2s", "8000"]

    def is_listening(self):
        # The app's own socket is one of them.
        return self.container.listens_on(8000) >= 3

    def open(self, address=Cable.CONTAINER):
        return direct(self.outside, address, 8000)

    def stop(self):
        super().stop()
        if "inet 172.17.0.9/" in self.container.ip("addr", "show", "dev", "eth0"):
            self._remove()

    def _remove(self):
        self.container.ip("addr", "del", self.SECOND + "/24", "dev", "eth0")

    def drive(self):
        clients = [Client("first address", self.open(), small_rounds(seed(), 20))]
        self.container.ip("addr", "add", self.SECOND + "/24", "dev", "eth0")
        if comes(self._listens_on_second, _WHILE_FAILING):
            clients.append(Client("second address", self.open(self.SECOND), small_rounds(seed())))
        return clients

    def _listens_on_second(self):
        return "090011AC" in self.container.listening_addresses(8000)

    def recover(self):
        found = []
        if not comes(self._listens_on_second, LIMIT):
            found.append("recovery: the address that came during the fault is not listened on")
        else:
            following = Client("second address", self.open(self.SECOND), small_rounds(seed(), 1))
            wait_for([following], LIMIT)
            if following.outcome != RIGHT:
                found.append(f"recovery: the second address does not serve: {following.detail}")
        self._remove()
        if not comes(lambda: not self._listens_on_second(), LIMIT):
            found.append("recovery: an address that has gone is still listened on")
        return found


def asks_admin(target):
    """Asks the admin port for one page."""
    def talk(connection):
        reader = Reader(connection)
        try:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: admin.test\r\nConnection: close\r\n\r\n".encode())
            try:
                message = reader.message()
            except ValueError as error:
                raise EOFError(str(error)) from None
            if message.status not in (200, 500, 503):
                raise Wrong(f"{target}: answer {message.status}")
            if message.status == 200 and not message.body:
                raise Wrong(f"{target}: an empty answer")
        finally:
            reader.close()
    return talk


class Admin(Scenario):
    """The admin port, asked for everything at once, and traffic beside it."""

    name = "admin"
    routes = TCP.routes
    settings = {"admin": '{ listen: "127.0.0.1:9901", socket: {folder}/admin.sock }'}
    ports = (8080, 9901)
    TARGETS = ("/metrics", "/status.json", "/healthz", "/readyz", "/", "/doctor.json", "/history.json", "/config.yaml")

    def __init__(self, subject):
        super().__init__(subject)

    def write_configuration(self):
        path = self.folder / "loopbridge.yaml"
        settings = {key: value.replace("{folder}", str(self.folder)) for key, value in self.settings.items()}
        path.write_text(text_of(*self.routes, workers=1, drain="2s", **settings))
        return str(path)

    def drive(self):
        admin = direct(self.container, LOOPBACK, 9901)
        unix = direct(self.container, str(self.folder / "admin.sock"))
        return [
            Client("traffic", self.open(), small_rounds(seed(), 20)),
            *(Client(target, admin, asks_admin(target)) for target in self.TARGETS[:6]),
            Client("by the Unix socket", unix, asks_admin("/metrics")),
        ]

    def recover(self):
        clients = [Client(target, direct(self.container, LOOPBACK, 9901), asks_admin(target)) for target in self.TARGETS[:2]]
        clients.append(Client("Unix", direct(self.container, str(self.folder / "admin.sock")), asks_admin("/metrics")))
        wait_for(clients, LIMIT)
        return [f"recovery: the admin port does not answer: {client.detail or 'hung'}" for client in clients
                if client.outcome != RIGHT]


class Hold(TCP):
    """Clients that come before the app does."""

    name = "hold"
    haproxy = None
    routes = (route("127.0.0.1:8080", "127.0.0.1:8000", hold="4s"),)

    def prepare(self):
        self._found = []

    def start_app(self):
        self.app = None

    def drive(self):
        clients = [Client(f"waits {number}", self.open(), small_rounds(seed(), 2)) for number in range(3)]
        time.sleep(0.06)
        self.app = ExchangeApp(self.container)
        return clients

    def next_client(self):
        return Client("the next client", self.open(), small_rounds(seed(), 1))

    def let_go(self):
        if self.app:
            self.app.stop()
            self._found += self.app.violations
            self.app = None

    def violations(self):
        found, self._found = self._found, []
        return found + (super().violations() if self.app else [])
