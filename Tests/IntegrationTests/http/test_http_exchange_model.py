"""Random exchanges against a specification (support/actors/exchange_model.py), many at a time over one pool of connections."""

import asyncio
import socket

import pytest

from support.actors.exchange_app import ModelApp
from support.actors.exchange_events import Lie, Run, generate
from support.actors.exchange_model import play
from support.admin import metrics
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.sequences import seeds, shrink
from support.waiting import wait_until

HTTP = "{ head_timeout: 3s, body_timeout: 3s, response_timeout: 3s, keep_alive_timeout: 3s }"
AT_ONCE = 40
#: Clients and app that have to wait for a processor for longer than this, in seconds, may miss the timeouts above. A fault that depends on
#: time says nothing of the proxy then, and the sequence is played again, so many times at the most.
LATE, TRIES = 0.5, 5


@pytest.mark.limit(1800)
@pytest.mark.parametrize("settings", [
    {}, {"upstream_connections": "{ max: 6, queue_timeout: 25s }", "pool": "{ idle_timeout: 200ms }"}, {"pool": "{ idle: 0 }"},
], ids=["default", "bounded", "no pool"])
def test_random_exchanges(container, outside, loopbridge, tmp_path, settings):
    file = ConfigurationFile(
        tmp_path, route("8080", "127.0.0.1:8000", "web", protocol="http", http=HTTP, idle_timeout="4s", **settings),
        workers=2, admin='{ listen: "127.0.0.1:9901" }')
    loopbridge("--config", file.path)
    failed = asyncio.run(play_all(container, outside, seeds(300)))
    assert failed is None, failed

    def all_gone():
        now = metrics(container)
        gauges = ['connections{route="web"}', 'clients_queued{route="web"}', 'upstream_connections{route="web",state="used"}']
        return all(now[f"loopbridge_{gauge}"] == 0 for gauge in gauges)

    wait_until(all_gone, "the gauges are back at 0", 15)


def waited_for_processor():
    """Returns for how many seconds the thread that plays clients and app was ready to run, and another one had the processor; 0 where the
    kernel does not count that."""
    try:
        with open("/proc/thread-self/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except FileNotFoundError:
        return 0.0


async def play_all(container, outside, numbers):
    """Plays all sequences; returns the report of the first one that fails, shrunk."""
    listener = container.socket()
    listener.bind(("127.0.0.1", 8000))
    listener.listen(1000)
    listener.setblocking(False)
    app = ModelApp(listener)
    await app.start()

    async def connect(receive_buffer):
        connection = outside.socket()
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (Cable.CONTAINER, 8080))
        return await asyncio.open_connection(sock=connection)

    def is_kept(port):
        return container.is_owned(local=8080, remote=port)

    faults, left, unjudged = {}, iter(numbers), []

    async def lane():
        for seed in left:
            for number in range(TRIES):
                before = waited_for_processor()
                fault = await play(Run(f"{seed}.again{number}", generate(seed)), app, connect, is_kept)
                is_judged = isinstance(fault, Lie) or waited_for_processor() - before < LATE
                if not fault or is_judged:
                    break
            if fault and is_judged:
                faults[seed] = fault
            elif fault:
                unjudged.append(seed)
            if faults:
                return

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    if unjudged:
        print(f"{len(unjudged)} sequences were not judged: clients and app had to wait for a processor")
    if not faults:
        await app.stop()
        return None
    seed, fault = next(iter(faults.items()))
    events = generate(seed)
    tries = iter(range(1000))

    async def again(events):
        # A fault that takes a race is tried for several times.
        for _ in range(3):
            if found := await play(Run(f"{seed}.{next(tries)}", events), app, connect, is_kept):
                return found

    shrunk, last = await shrink_async(events, again, fault)
    await app.stop()
    return f"LOOPBRIDGE_SEED={seed}: {fault}\nafter {len(shrunk)} of {len(events)} events: {last}\n" + "\n".join(
        f"    {event}" for event in shrunk)


async def shrink_async(events, fault_of, fault):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, lambda: shrink(
        events, lambda fewer: asyncio.run_coroutine_threadsafe(fault_of(fewer), loop).result(), fault))
