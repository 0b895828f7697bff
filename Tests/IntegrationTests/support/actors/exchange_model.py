"""HTTP exchanges made up at random, played by clients and an app, and judged by what each of them may see.

The app does with each request what the request's number says; clients share the proxy's connections to it. What holds in any order:

- a client's answers come in the order of its requests, and each is made of the bytes of *its* request's answer;
- an answer that the app has not finished never looks whole; one that is our own is the last;
- where neither side misbehaves, every request is answered, whole;
- the app gets each body as it was sent, no request twice that may not be repeated, and on a connection that it has
  authenticated none of another client's;
- a client that reads nothing for a while loses nothing by it; one that never reads again costs nobody else anything, and the proxy lets
  go of it, though its kernel may still try to deliver what was said last;
- every client's connection comes to an end.
"""

import asyncio

from support.actors.exchange_client import ModelClient
from support.actors.exchange_events import Lie


async def play(run, app, connect, is_kept):
    """Plays a sequence; returns what was wrong, None for nothing."""
    app.runs[run.key] = run
    try:
        await asyncio.gather(*(ModelClient(run, number, connect, is_kept).play() for number in range(2)))
    finally:
        del app.runs[run.key]
    return next((fault for fault in run.faults if isinstance(fault, Lie)), run.faults[0] if run.faults else None)
