"""Clients of routes of UDP: what comes back is what was sent, to whoever sent it; datagrams may be lost."""

import asyncio
import socket
import struct

import wire


async def honest(visit):
    """Some datagrams on one flow. The outcome says whether any came back."""
    chance = visit.chance
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in visit.address[0] else socket.AF_INET, socket.SOCK_DGRAM) as flow:
        flow.setblocking(False)
        flow.connect(visit.address)
        sent, returned = {}, 0
        for index in range(chance.randrange(1, 20)):
            number = visit.number if index == 0 else visit.next()
            length = chance.choice((0, 10, 500, 1400, 1400, 9000))
            sent[number] = struct.pack("!QI", number, length) + bytes(wire.stream(number, wire.UP, 0, length))
            try:
                await loop.sock_sendall(flow, sent[number])
            except OSError:
                continue
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.1)
        try:
            async with asyncio.timeout(2):
                while returned < len(sent):
                    try:
                        data = await loop.sock_recv(flow, 65536)
                    except OSError:
                        continue
                    number = struct.unpack("!Q", data[:8])[0]
                    if sent.get(number) != data[:-4]:
                        raise wire.WrongBytes(f"a datagram that was not sent: {data[:24].hex()}, {len(data)} bytes")
                    returned += 1
        except TimeoutError:
            pass
        visit.judge.count("datagrams sent", len(sent))
        visit.judge.count("datagrams returned", returned)
        return "whole" if returned == len(sent) else "some lost" if returned else "all lost"
