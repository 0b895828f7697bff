"""The scenario of UDP, where what is lost may be lost, and what comes must be right."""

import socket

from clients import LIMIT, Client, Wrong
from exchanges import data
from scenario import Scenario, seed
from support.configuration import route
from support.datagrams import DatagramApp
from support.sockets import LOOPBACK

# As resolvers do: an answer that does not come in this time is asked for again.
_RETRY = 0.25


def asking(seed, count, size):
    """Questions one by one, each until its answer comes."""
    def talk(asking):
        asking.settimeout(_RETRY)
        for number in range(count):
            question = b"%d %d " % (seed, number) + data(seed + number, size)
            for _ in range(int(LIMIT / _RETRY)):
                try:
                    asking.send(question)
                    heard = asking.recv(70000)
                    # An answer that was late, to a question that was asked again, has an earlier number.
                    while heard != question and heard.startswith(b"%d " % seed) and int(heard.split(b" ", 2)[1]) < number:
                        heard = asking.recv(70000)
                except TimeoutError:
                    continue
                except ConnectionRefusedError:
                    continue
                if heard != question:
                    raise Wrong(f"an answer of {len(heard)} bytes that is not that of the app to this client")
                break
            else:
                raise TimeoutError(f"no answer to question {number}")
    return talk


class Datagrams(Scenario):
    """Clients that ask on and on, small and large."""

    name = "udp"
    routes = (route("127.0.0.1:8053", "127.0.0.1:5300", protocol="udp", idle_timeout="300ms"),)

    class App(DatagramApp):
        violations = []

    def start_app(self):
        self.app = self.App(self.container)

    def is_listening(self):
        return self.program.is_listening()

    def open(self, port=8053):
        def opened():
            new = self.container.socket(socket.AF_INET, socket.SOCK_DGRAM, timeout=5)
            new.connect((LOOPBACK, port))
            return new
        return opened

    def drive(self):
        return [Client(f"asks with {size} bytes", self.open(), asking(seed(), 8, size)) for size in (20, 1200, 20_000)]

    def next_client(self):
        return Client("the next client", self.open(), asking(seed(), 1, 20))

    def listeners(self):
        with self.container.entered(), open("/proc/thread-self/net/udp") as file:
            return [sum(line.split()[1].endswith(":1F75") and line.split()[2].endswith(":0000") for line in file.readlines()[1:])]
