"""Clients that come again and again, whatever becomes of them."""

import random
import threading

from support.http import Client, get


class Visits:
    """While it is entered, so many clients ask for the target, each about so many times a second."""

    def __init__(self, namespace, clients=2, rate=20.0, port=8080, target="/", kept=False):
        self.answered = 0
        self._ended = threading.Event()
        self._ask = lambda: self._visit(namespace, port, get(target), kept)
        self._rate = rate
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def _visit(self, namespace, port, request, kept):
        with Client(namespace, port=port, timeout=20) as client:
            while not self._ended.is_set():
                client.ask(request)
                self.answered += 1
                self._ended.wait(random.expovariate(self._rate))
                if not kept:
                    return

    def _run(self):
        while not self._ended.is_set():
            try:
                self._ask()
            except (OSError, EOFError):
                self._ended.wait(0.05)  # nobody is there; do not ask a thousand times

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(25)
