"""HTTP exchanges made up at random: requests with what the app does with each, other acts of the clients, and a run of such a sequence."""

import dataclasses
import random
import socket
import struct

#: The seconds after which nobody may wait any more.
LONGEST = 30.0


@dataclasses.dataclass(frozen=True)
class Request:
    client: int
    number: int
    method: str = "GET"
    #: Of the body; nil for none.
    framing: str = "none"
    size: int = 0
    #: The client sends only a part of the body and then leaves it at that.
    breaks_off: bool = False
    pieces: int = 1
    waits: bool = True
    #: What the app does: how the answer is framed, how long it is, what comes before it, and how it ends.
    answer: str = "counted"
    answer_size: int = 10
    hints: int = 0
    answer_pieces: int = 1
    #: whole | closes | resets | stalls (in the midst of it), or closes-first | resets-first | stalls-first (before it).
    end: str = "whole"
    #: The app closes its connection after the answer without having said so.
    closes_after: bool = False
    is_early: bool = False
    logs_in: bool = False

    @property
    def is_good(self):
        return self.end == "whole" and not self.breaks_off

    @property
    def may_be_repeated(self):
        return self.method != "POST"


@dataclasses.dataclass(frozen=True)
class Act:
    """An act of a client between or after its requests, or a property that it has from the beginning."""
    client: int
    #: pause | half-close | reset | rests (reads nothing for a while) | stops (reads nothing any more) | little-room (from the beginning)
    what: str


def abort(writer):
    """Ends a connection with a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def pattern(number, size, salt=""):
    word = f"<{salt}{number}>".encode()
    return (word * (size // len(word) + 1))[:size]


def generate(seed):
    random_source = random.Random(seed)
    chance = lambda part: random_source.random() < part
    events = [Act(client, "little-room") for client in range(2) if chance(0.3)]
    for index in range(random_source.randint(1, 6)):
        client = random_source.randrange(2)
        framing = random_source.choice(["none", "none", "counted", "chunked"])
        end = "whole" if chance(0.8) else random_source.choice(
            ["closes", "resets", "closes-first", "resets-first"] if chance(0.9) else ["stalls", "stalls-first"])
        size = 0 if framing == "none" else random_source.choice([1, 100, 5000, 200_000])
        events.append(Request(
            client, index, method=random_source.choice(["GET", "PUT"] if framing == "none" else ["POST", "PUT"]),
            framing=framing, size=size, breaks_off=size > 0 and chance(0.03), pieces=random_source.choice([1, 1, 2, 7]),
            waits=chance(0.5), answer=random_source.choice(["counted", "chunked", "close"]),
            answer_size=random_source.choice([0, 1, 100, 20_000, 400_000]),
            hints=random_source.choice([0, 0, 0, 1, 3]), answer_pieces=random_source.choice([1, 1, 2, 9]), end=end,
            closes_after=chance(0.1), is_early=chance(0.1), logs_in=chance(0.15)))
        if chance(0.15):
            events.append(Act(client, random_source.choice(["pause", "pause", "half-close", "reset", "rests", "rests"])))
        elif chance(0.02):
            events.append(Act(client, "stops"))
    return events


class Lie(str):
    """A fault that is one however slow everything was: bytes that are wrong or another's, an end that looks whole and is not."""


class Run:
    """One sequence on its way."""

    def __init__(self, key, events):
        self.key = key
        self.requests = {event.number: event for event in events if isinstance(event, Request)}
        self.events = events
        self.arrivals = {}
        self.faults = []
