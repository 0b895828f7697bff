"""Random exchanges against a specification (support/actors/exchange_model.py), many at a time over one pool of connections."""

import asyncio
import socket

import pytest

from support.actors.exchange_model import ModelApp, Run, generate, play
from support.admin import metrics
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
from support.sequences import seeds, shrink
from support.waiting import wait_until

HTTP = "{ head_timeout: 3s, body_timeout: 3s, response_timeout: 3s, keep_alive_timeout: 3s }"
AT_ONCE = 40


@pytest.mark.limit(1800)
@pytest.mark.parametrize("settings", [
    {}, {"upstream_connections": "{ max: 6 }", "pool": "{ idle_timeout: 200ms }"}, {"pool": "{ idle: 0 }"},
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

    faults, left = {}, iter(numbers)

    async def lane():
        for seed in left:
            fault = await play(Run(str(seed), generate(seed)), app, connect, is_kept)
            if fault:
                faults[seed] = fault
            if faults:
                return

    await asyncio.gather(*(lane() for _ in range(AT_ONCE)))
    if not faults:
        await app.stop()
        return None
    seed, fault = next(iter(faults.items()))
    events = generate(seed)
    tries = iter(range(1000))

    async def again(events):
        # What takes a race is tried several times.
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
