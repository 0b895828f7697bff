"""A process full of clients: python3 clients.py FOLDER SEED outside|inside RATE without,routes|-

Each client comes again and again, and does what its kind does. SIGTERM has the visits that run end by themselves, SIGUSR1 sends
home those that only rest.
"""

import asyncio
import dataclasses
import random
import signal
import socket
import sys
import time

import channels
import client_datagrams
import client_http
import client_stream
import routes
import wire
from judge import Judge

# The seconds without a move after which a client says that it hangs: longer than any pause, hold and queue of the soak together, and
# shorter than the routes' own limits on silence, which would end what hangs.
LIMIT = 22.0
BEHAVIOURS = {"tcp": client_stream, "http": client_http}


@dataclasses.dataclass
class Kind:
    """A kind of clients: their act, their number, and the mean pause between their visits, in seconds."""

    route: str
    does: str
    clients: int
    pause: float
    is_honest: bool = True
    is_fleeting: bool = False

    @property
    def name(self):
        return f"{self.route}: {self.does.replace('_', ' ')}" + (", fleeting" if self.is_fleeting else "")


def kinds():
    found = []
    for name, route in routes.ROUTES.items():
        if route.protocol == "udp":
            found.append(Kind(name, "honest", 3, 1))
        elif route.protocol == "http":
            found += [Kind(name, "honest", 4, 0.5), Kind(name, "pipelines", 1, 1), Kind(name, "upgrades", 1, 1),
                      Kind(name, "answered_early", 1, 3), Kind(name, "logs_in", 1, 2), Kind(name, "leaves", 1, 1, False),
                      Kind(name, "half_a_head", 1, 3, False), Kind(name, "talks_garbage", 1, 1, False),
                      Kind(name, "never_reads", 1, 3, False)]
            if not route.has_no_resets:
                found.append(Kind(name, "app_cuts", 1, 0.5))
        else:
            found += [Kind(name, "honest", 4, 0.5), Kind(name, "leaves", 1, 0.5, False), Kind(name, "reads_slowly", 1, 3)]
            if "queue" not in name:
                found += [Kind(name, "never_reads", 1, 3, False), Kind(name, "says_nothing", 1, 3, False),
                          Kind(name, "talks_garbage", 1, 1, False)]
            if not route.has_no_resets:
                found += [Kind(name, "app_resets", 1, 0.5), Kind(name, "ends_early", 1, 1)]
        if route.tls:
            found += [Kind(name, "half_a_hello", 1, 1, False)]
    found.append(Kind("same port", "honest", 2, 1, is_fleeting=True))
    return found


class Visit:
    """One client's visit: what its behaviour needs to know."""

    def __init__(self, kind, chance, number, judge, folder, is_leaving):
        self.kind, self.chance, self.number, self.judge = kind.name, chance, number, judge
        self.route = routes.ROUTES[kind.route]
        self.is_honest, self.is_fleeting = kind.is_honest, kind.is_fleeting
        self.has_no_resets = self.route.has_no_resets
        self.names_first = self.route.names_clients
        self.address = f"{folder}/listen/{self.route.path}" if self.route.path else (self._choose_host(), self.route.port)
        self.channel, self.client = None, ""
        self._is_leaving = is_leaving
        self._last = number

    def _choose_host(self):
        if self.is_fleeting:
            return routes.FLEETING
        return routes.CONTAINER_V6 if self.chance.random() < 0.25 else routes.CONTAINER

    def next(self):
        """A number for another transfer of the same visit."""
        self._last += 1
        return self._last

    async def rest(self, seconds):
        """Sits there, until everybody is asked to leave."""
        try:
            await asyncio.wait_for(self._is_leaving.wait(), seconds)
        except TimeoutError:
            pass

    async def open(self):
        family = socket.AF_UNIX if self.route.path else socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        kind = channels.TLSChannel if self.route.tls else channels.Channel
        self.channel = await kind.open(family, self.address, LIMIT)
        self.client = str(self.channel.name)
        if self.route.names_clients:
            address, port = wire.address_of(self.number)
            await self.channel.send(f"PROXY TCP4 {address} {routes.CONTAINER} {port} {self.route.port}\r\n".encode())


async def half_a_hello(visit):
    """The beginning of a handshake, and nothing more."""
    hello = bytes.fromhex("16030102000100") + visit.chance.randbytes(300)
    try:
        for at in range(0, visit.chance.randrange(1, 300), 20):
            await channels.Channel.send(visit.channel, hello[at:at + 20])
            await asyncio.sleep(0.02)
        await visit.rest(visit.chance.random() * 15)
    except OSError:
        pass
    visit.channel.reset()
    return "left"


async def come_once(kind, visit):
    if visit.route.protocol == "udp":
        return await client_datagrams.honest(visit)
    await visit.open()
    if kind.does == "half_a_hello":
        return await half_a_hello(visit)
    if visit.route.tls:
        await visit.channel.handshake(visit.chance)
    return await getattr(BEHAVIOURS[visit.route.protocol], kind.does)(visit)


async def come_again(kind, start, chance, judge, folder, rate, is_over, is_leaving):
    number = start
    await asyncio.sleep(chance.random() * kind.pause)
    while not is_over.is_set():
        visit = Visit(kind, chance, number, judge, folder, is_leaving)
        started, error = time.monotonic(), None
        try:
            outcome = await come_once(kind, visit)
        except Exception as caught:
            error, outcome = caught, judge.failure(visit, caught)
        finally:
            if visit.channel:
                visit.channel.close()
        judge.end(visit, outcome, started, error)
        # Numbers of one visit are next to each other.
        number += 32
        try:
            await asyncio.wait_for(is_over.wait(), chance.expovariate(rate / kind.pause))
        except TimeoutError:
            pass


async def main(folder, seed, place, rate, without):
    judge = Judge(folder, place)
    is_over, is_leaving = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, is_over.set)
    loop.add_signal_handler(signal.SIGUSR1, is_leaving.set)
    work, start = [], (1 if place == "outside" else 2) << 56
    for kind in kinds():
        route = routes.ROUTES[kind.route]
        if bool(route.path) != (place == "inside") or kind.route in without:
            continue
        for index in range(kind.clients):
            start += 1 << 40
            chance = random.Random(f"{seed} {kind.name} {index}")
            work.append(come_again(kind, start, chance, judge, folder, float(rate), is_over, is_leaving))
    watch = asyncio.create_task(channels.watch_for_delays(lambda delay: judge.note("late", 0, delay)))
    await asyncio.gather(*work)
    watch.cancel()
    judge.save()


if __name__ == "__main__":
    *arguments, without = sys.argv[1:]
    asyncio.run(main(*arguments, without.split(",")))
