"""The parts of every scenario: a namespace, an app, a program before it, clients."""

import itertools
import pathlib
import shutil
import tempfile

from clients import Client
from exchanges import ExchangeApp, direct, small_rounds
from programs import HAProxyProcess, LoopbridgeProcess
from support.configuration import text_of
from support.namespaces import Namespace
from support.sockets import LOOPBACK
from support.waiting import wait_until

_seeds = itertools.count(1, 20)


def seed():
    """A number for data that is nobody else's."""
    return next(_seeds)


class Scenario:
    """Traffic through a program that runs, during which a call fails.

    A session has one namespace; restart() makes everything else new.
    """

    name = ""
    # Routes and settings of loopbridge's file, and a whole file of HAProxy's (None where it cannot do that).
    routes = ()
    settings = {}
    haproxy = None
    # The ports that must be listened on.
    ports = (8080,)
    # Whether the program is traced from its first instruction on, instead of attached to.
    from_start = False
    # Whether each case has a program of its own.
    is_fresh = False

    def __init__(self, subject="loopbridge"):
        self.subject = subject
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="faults-"))
        self.container = Namespace("faults")
        self.program = None
        self.app = None
        self.prepare()

    def prepare(self):
        """Makes what outlives restarts."""

    def start_app(self):
        self.app = ExchangeApp(self.container)

    def write_configuration(self):
        if self.subject == "haproxy":
            path = self.folder / "haproxy.cfg"
            path.write_text(_HAPROXY_GLOBAL + self.haproxy.replace("{folder}", str(self.folder)))
        else:
            path = self.folder / "loopbridge.yaml"
            path.write_text(text_of(*(route.replace("{folder}", str(self.folder)) for route in self.routes),
                                    **{"workers": 1, "drain": "2s", **self.settings}))
        return str(path)

    def launch(self, wrapper=()):
        """Starts the program, which need not listen yet."""
        path = self.write_configuration()
        if self.subject == "haproxy":
            self.program = HAProxyProcess(self.container, path, wrapper)
        else:
            self.program = LoopbridgeProcess(self.container, *self.arguments(path), wrapper=wrapper)

    def arguments(self, path):
        return ["--config", path]

    def is_listening(self):
        return all(self.container.listens_on(port) for port in self.ports)

    def start(self):
        self.start_app()
        self.launch()
        wait_until(lambda: self.is_listening() or not self.program.is_running, "the program listens", 15)

    def stop(self):
        if self.program:
            self.program.kill()
            self.program = None
        if self.app:
            self.app.stop()
            self.app = None

    def restart(self):
        self.stop()
        self.start()

    def remove(self):
        self.stop()
        self.container.remove()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Acts during the fault and after it

    def drive(self):
        """Starts the clients, and does what else there is to do; returns the clients."""
        raise NotImplementedError

    def recover(self):
        """Looks at what has to be right once the fault is over; returns the violations."""
        return []

    def next_client(self):
        """A client that comes when all is over."""
        return Client("the next client", self.open(), small_rounds(seed(), 1))

    def let_go(self):
        """Ends what is rightly kept, so that the descriptors can be counted."""

    def open(self, port=8080):
        return direct(self.container, LOOPBACK, port)

    def violations(self):
        """Returns the app's complaints since it was asked last."""
        found, self.app.violations[:] = list(self.app.violations), []
        return found

    def listeners(self):
        return [self.container.listens_on(port) for port in self.ports]


_HAPROXY_GLOBAL = """
global
    nbthread 1
    maxconn 200
    hard-stop-after 2s
defaults
    mode tcp
    retries 10
    timeout connect 1s
    timeout client 1h
    timeout server 1h
"""
