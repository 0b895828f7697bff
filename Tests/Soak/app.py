"""An app as a process of its own: python3 app.py stream|http|datagrams GENERATION REPORTS ADDRESS...

An address is HOST:PORT or a path; with PROXY= in front, connections begin with a PROXY header. What it notices is a line of JSON
in the file of reports, which is whole even if the process is killed.
"""

import asyncio
import json
import os
import socket
import struct
import sys

import app_http
import app_stream
from channels import Channel, watch_for_delays

LIMIT = 60


def report_into(path):
    """Appends a line for each thing that is worth the judge's while."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def report(kind, number, detail):
        os.write(file, (json.dumps([kind, number, detail]) + "\n").encode())

    return report


def listen(address):
    if address.startswith("/"):
        if os.path.exists(address):
            os.unlink(address)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
    else:
        host, _, port = address.rpartition(":")
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, int(port)))
        # Inherited: a connection that has not been closed in good order ends with a reset.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listener.listen(1024)
    listener.setblocking(False)
    return listener


async def accept(address, serve):
    has_proxy_header = address.startswith("PROXY=")
    listener = listen(address.removeprefix("PROXY="))
    loop = asyncio.get_running_loop()
    running = set()
    while True:
        connection, _ = await loop.sock_accept(listener)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        task = asyncio.create_task(serve(Channel(connection, LIMIT), connection, has_proxy_header))
        running.add(task)
        task.add_done_callback(running.discard)


class Datagrams(asyncio.DatagramProtocol):
    """Sends each datagram back, and behind it its own generation."""

    def __init__(self, generation):
        self._generation = struct.pack("!I", generation)

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, address):
        self._transport.sendto(data + self._generation, address)


async def main(kind, generation, reports, *addresses):
    generation, report = int(generation), report_into(reports)
    watch = asyncio.create_task(watch_for_delays(lambda delay: report("late", 0, delay)))
    if kind == "datagrams":
        host, _, port = addresses[0].rpartition(":")
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: Datagrams(generation), (host, int(port)))
        await asyncio.Future()

    async def serve(channel, connection, has_proxy_header):
        try:
            if kind == "stream":
                await app_stream.serve(channel, connection, report, generation, has_proxy_header)
            else:
                await app_http.serve(channel, connection, report, generation)
        except Exception as error:
            report("app failed", 0, repr(error))
            channel.reset()

    await asyncio.gather(watch, *(accept(address, serve) for address in addresses))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
