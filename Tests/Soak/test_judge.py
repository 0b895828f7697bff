"""The judge of the soak: what it must find, and what it must not."""

import asyncio
import json
import socket

import pytest

import bars
import client_http
import client_stream
import clients
import routes
import samples
import wire
from channels import Channel, Hung, Reader
from judge import FAULTS, Judge
from verdict import Verdict


def test_every_wrong_byte_is_found():
    data = bytes(wire.stream(7, wire.DOWN, 0, 1000))
    for at in (0, 1, 500, 999):
        wrong = bytearray(data)
        wrong[at] ^= 1
        with pytest.raises(wire.WrongBytes):
            wire.Check(7, wire.DOWN, 1000).take(bytes(wrong))
    for strange in (wire.stream(8, wire.DOWN, 0, 1000), wire.stream(7, wire.UP, 0, 1000), data[1:], data + b"x", data[:100] + data[101:]):
        with pytest.raises(wire.WrongBytes):
            wire.Check(7, wire.DOWN, 1000).take(bytes(strange))
    check = wire.Check(7, wire.DOWN, 1000)
    check.take(data[:300])
    assert not check.is_whole
    check.take(data[300:])
    assert check.is_whole


def test_a_header_is_what_was_sent_or_none():
    header = wire.Header(7, 10, 20, wire.KEEP, 5)
    data = header.encode()
    assert vars(wire.Header.decode(data)) == vars(header)
    assert wire.Header.decode(data[:-1] + bytes([data[-1] ^ 1])) is None


class Ends:
    """The app's side of a connection on which a client of the soak is: sends this, and ends like that."""

    def __init__(self, data, has_reset=False):
        self._data, self._has_reset = data, has_reset

    async def meet(self, behaviour):
        """Returns the behaviour's outcome, or the exception that it raised."""
        listener = socket.create_server(("127.0.0.1", 0))
        listener.setblocking(False)
        loop = asyncio.get_running_loop()
        channel = await Channel.open(socket.AF_INET, listener.getsockname(), 1)
        peer, _ = await loop.sock_accept(listener)
        await loop.sock_sendall(peer, self._data)
        app = Channel(peer, 1)
        if self._has_reset:
            app.reset()
        else:
            await app.finish()
        try:
            return await behaviour(channel)
        except Exception as error:
            return error
        finally:
            channel.close()
            app.close()
            listener.close()


def transfer(down):
    async def run(channel):
        return await client_stream.transfer(channel, Reader(channel), wire.Header(7, 3, down), None)
    return run


def answer(number, down):
    async def run(channel):
        return await client_http.read_answer(Reader(channel), number, down)
    return run


WHOLE = wire.greeting(7, 1) + bytes(wire.stream(7, wire.DOWN, 0, 100)) + wire.trailer(7, wire.checksum(7, wire.UP, 3))
OK = b"HTTP/1.1 200 OK\r\nX-Number: 7\r\n"


@pytest.mark.parametrize("cut", [0, 5, 16, 60, 116, len(WHOLE) - 1])
def test_a_clean_end_before_the_last_byte_is_a_lie(cut):
    assert isinstance(asyncio.run(Ends(WHOLE[:cut]).meet(transfer(100))), client_stream.FalseEnd)


def test_a_reset_is_none():
    assert isinstance(asyncio.run(Ends(WHOLE[:60], has_reset=True).meet(transfer(100))), ConnectionResetError)
    assert asyncio.run(Ends(WHOLE).meet(transfer(100))) is None


@pytest.mark.parametrize("data, expected", [
    (OK + b"Content-Length: 10\r\n\r\n12345", client_http.Cut),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n" % bytes(wire.stream(7, wire.DOWN, 0, 5)), client_http.Cut),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n0\r\n\r\n" % bytes(wire.stream(7, wire.DOWN, 0, 5)), client_stream.FalseEnd),
    (OK + b"\r\n%b" % bytes(wire.stream(7, wire.DOWN, 0, 5)), client_stream.FalseEnd),
    (OK + b"X-User: somebody\r\nContent-Length: 0\r\n\r\n", wire.WrongBytes),
    (b"HTTP/1.1 200 OK\r\nX-Number: 8\r\nContent-Length: 0\r\n\r\n", wire.WrongBytes),
    (b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", client_http.Broken),
    (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", client_http.Unanswered),
])
def test_answers(data, expected):
    found = asyncio.run(Ends(data).meet(answer(7, 10)))
    # A transfer that is cut off has wrong bytes too, in these.
    assert isinstance(found, (expected, wire.WrongBytes)), found
    if expected is not client_http.Cut:
        assert type(found) is expected


def test_who_waits_in_vain_hangs():
    async def run():
        listener = socket.create_server(("127.0.0.1", 0))
        channel = await Channel.open(socket.AF_INET, listener.getsockname(), 0.2)
        with pytest.raises(Hung):
            await channel.recv()
        channel.close()
        listener.close()
    asyncio.run(run())


def test_an_end_is_explained_by_its_own_app_alone(tmp_path):
    def end(number, app, route="tcp", kind="tcp: honest"):
        return json.dumps(["end", number, {"kind": kind, "outcome": "cut", "route": route, "app": app, "from": 100, "to": 101}])

    (tmp_path / "clients-outside.jsonl").write_text("\n".join([end(1, "stream"), end(2, "http"), end(3, "http", kind="same port: honest, fleeting")]))
    (tmp_path / "app-http.jsonl").write_text('["post", 5, 1]\n["post", 6, 1]\n["post", 5, 2]\n["false upload", 9, "x"]\n')
    verdict = Verdict(str(tmp_path), [{"what": "app killed", "app": "stream", "from": 101, "to": 102},
                                      {"what": "app killed", "app": "http", "from": 50, "to": 60}])
    assert [one["number"] for one in verdict.unexplained] == [2]
    assert verdict.fault_count("wrong") == 1 and verdict.fault_count("false upload") == 1


def test_what_is_late_for_want_of_a_processor_is_not_judged_but_lies_are(tmp_path):
    ends = [["end", number, {"kind": "tcp: honest", "outcome": outcome, "route": "tcp", "app": "stream", "from": at, "to": at + 1}]
            for number, (outcome, at) in enumerate((("hung", 100), ("hung", 200), ("false end", 100)))]
    (tmp_path / "clients-outside.jsonl").write_text("\n".join(map(json.dumps, [*ends, ["late", 0, {"from": 100.2, "to": 101}]])))
    verdict = Verdict(str(tmp_path), [])
    assert sorted(one["number"] for one in verdict.faults) == [1, 2]
    assert len(verdict.excused) == 1


def test_growth_is_the_last_half_s_and_not_a_spike_s():
    rows = [{"time": float(at), "anonymous": 10_000_000 + at * 1000 + (50_000_000 if at == 90 else 0)} for at in range(100)]
    assert samples.growth(rows, "anonymous") == pytest.approx(49_000, rel=0.1)
    assert samples.growth([row | {"anonymous": 5} for row in rows], "anonymous") == 0
    assert bars.allowed_growth(1800) < bars.allowed_growth(180)


def test_every_kind_of_client_has_a_behaviour_and_a_route():
    for kind in clients.kinds():
        route = routes.ROUTES[kind.route]
        assert kind.does == "half_a_hello" or route.protocol == "udp" or hasattr(clients.BEHAVIOURS[route.protocol], kind.does)
    assert len({kind.name for kind in clients.kinds()}) == len(clients.kinds())
    assert "false end" in FAULTS and Judge
