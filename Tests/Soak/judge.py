"""The outcome of each visit, and which outcomes are faults."""

import collections
import json
import os
import random
import time

import client_http
import client_stream
import wire
from channels import Hung

# Whatever is one of these is a fault of the program between.
FAULTS = ("wrong", "foreign", "false end", "false upload", "hung", "broken", "failed")


class Judge:
    """Counts the outcomes of one process of clients, and writes down at once what is a fault."""

    def __init__(self, folder, name):
        self._folder, self._name = folder, name
        self._file = os.open(f"{folder}/clients-{name}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.outcomes = collections.Counter()
        self.counters = collections.Counter()
        self._durations = collections.defaultdict(list)
        self._chance = random.Random(1)

    def note(self, what, number, detail):
        os.write(self._file, (json.dumps([what, number, detail]) + "\n").encode())

    def count(self, what, by=1):
        self.counters[what] += by

    def failure(self, visit, error):
        """Returns the outcome that an exception stands for."""
        if isinstance(error, wire.WrongBytes):
            return "foreign" if "somebody else" in str(error) else "wrong"
        if isinstance(error, client_stream.FalseEnd):
            return "cut" if visit.has_no_resets else "false end"
        if isinstance(error, Hung):
            return "address gone" if visit.is_fleeting else "hung"
        if isinstance(error, client_http.Broken):
            return "broken"
        if isinstance(error, client_http.Unanswered):
            return "unanswered"
        if isinstance(error, client_http.Between):
            return "cut between requests"
        if isinstance(error, (OSError, EOFError)):
            return "cut" if visit.is_honest else "sent away"
        return "failed"

    def end(self, visit, outcome, started, error=None):
        self.outcomes[visit.kind, outcome] += 1
        now = time.monotonic()
        if outcome in FAULTS or outcome in ("cut", "unanswered") or outcome == "logged out":
            self.note("end", visit.number, {
                "kind": visit.kind, "outcome": outcome, "route": visit.route.name, "app": visit.route.app, "from": started,
                "to": now, "client": visit.client, "error": f"{type(error).__name__}: {error}" if error else ""})
        if outcome == "whole" and visit.is_honest:
            kept = self._durations[visit.kind]
            # A sample of a bounded size.
            if len(kept) < 2000:
                kept.append(now - started)
            else:
                kept[self._chance.randrange(2000)] = now - started

    def save(self):
        summary = {
            "outcomes": [[*key, count] for key, count in sorted(self.outcomes.items())], "counters": dict(self.counters),
            "durations": {kind: sorted(kept) for kind, kept in self._durations.items()}}
        with open(f"{self._folder}/summary-{self._name}.json", "w") as file:
            json.dump(summary, file)
