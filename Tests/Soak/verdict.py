"""Puts together what clients, apps and the conductor have written down: the faults, and the ends that something explains."""

import collections
import glob
import json
import os

import routes
from judge import FAULTS

# The seconds by which an end may be seen later than its cause, and a cause written down earlier.
SLACK = 1.5


def _lines(pattern):
    for path in sorted(glob.glob(pattern)):
        with open(path) as file:
            for line in file:
                yield json.loads(line)


class Verdict:
    """`outcomes` as {(kind, outcome): count}; `faults` with an entry each; `unexplained` for ends of honest clients without a cause."""

    def __init__(self, folder, events, delays=()):
        """`delays` are the program's own; those of clients and apps are in their files."""
        self.outcomes = collections.Counter()
        self.counters = collections.Counter()
        self.durations = collections.defaultdict(list)
        self.faults, self.unexplained = [], []
        self.logged_out = 0
        self.acknowledged_cuts = self.cuts_cut_short = self.bytes_cut_short = 0
        for path in sorted(glob.glob(f"{folder}/summary-*.json")):
            self._take_summary(path)
        ends = list(_lines(f"{folder}/clients-*.jsonl"))
        reports = [*ends, *_lines(f"{folder}/app-*.jsonl")]
        self.delays = [*delays, *(detail for what, _, detail in reports if what == "late")]
        self.excused = []
        self._judge_ends([detail | {"number": number} for what, number, detail in ends if what == "end"], events)
        apps = {os.path.basename(path)[4:-6]: list(_lines(path)) for path in glob.glob(f"{folder}/app-*.jsonl")}
        self._judge_apps(apps)
        delivered = {number: count for reports in apps.values() for what, number, count in reports if what == "cut"}
        for what, number, count in ends:
            if what == "cut" and number in delivered:
                self.acknowledged_cuts += 1
                if count < delivered[number]:
                    self.cuts_cut_short += 1
                    self.bytes_cut_short += delivered[number] - count

    def _take_summary(self, path):
        with open(path) as file:
            summary = json.load(file)
        for kind, outcome, count in summary["outcomes"]:
            self.outcomes[kind, outcome] += count
        self.counters.update(summary["counters"])
        for kind, kept in summary["durations"].items():
            self.durations[kind] += kept

    def _judge_ends(self, ends, events):
        for end in ends:
            if end["outcome"] == "logged out":
                self.logged_out += 1
            elif end["outcome"] in ("cut", "unanswered") and (_is_expected(end) or any(_explains(event, end) for event in events)):
                pass
            elif end["outcome"] in ("hung", "broken", "cut", "unanswered") and any(overlaps(delay, end) for delay in self.delays):
                # Somebody had no processor to go on with, so nobody's limits say anything.
                self.excused.append(end)
            else:
                (self.faults if end["outcome"] in FAULTS else self.unexplained).append(end)

    def _judge_apps(self, apps):
        posts = collections.Counter()
        for app, reports in apps.items():
            for what, number, detail in reports:
                if what == "post":
                    posts[number] += 1
                elif what not in ("cut", "late"):
                    self.faults.append({"outcome": what, "kind": f"seen by the app '{app}'", "number": number, "error": detail})
        self.posts = len(posts)
        for number, count in posts.items():
            if count > 1:
                self.faults.append({"outcome": "wrong", "kind": "seen by the app 'http'", "number": number,
                                    "error": f"a POST came {count} times"})

    def count(self, *outcomes):
        return sum(count for (_, outcome), count in self.outcomes.items() if outcome in outcomes)

    def fault_count(self, *outcomes):
        return sum(fault["outcome"] in outcomes for fault in self.faults)


def overlaps(event, end):
    return event["from"] <= end["to"] + SLACK and event["to"] >= end["from"] - SLACK


def _is_expected(end):
    """An address that goes takes its connections along, and nobody queues for longer than is configured."""
    return "fleeting" in end["kind"] or "queue" in end["route"] and end["to"] - end["from"] >= routes.QUEUE_TIMEOUT


def _explains(event, end):
    """Whether an honest client's end may come of the event."""
    if not overlaps(event, end):
        return False
    if event["what"] == "app killed":
        return event["app"] == end["app"]
    return event["what"] == "route gone" and end["route"] == "passing"
