"""The whole run: which cases there are, and several lanes that judge them side by side."""

import multiprocessing
import os
import queue
import random
import signal
import sys
import time
import traceback

from catalogue import SCENARIOS, judge_of
from errnos import ERRORS, LEFT_OUT, errors_of, occurrences_of
from injection import most_calls
from judge import Case, Result

# So many cases are judged by one lane before it takes others: enough that starting is no loss, and few enough that
# the lanes end together.
_PIECE = 12


def plan(subject, scenario, lines, quick=False):
    """The cases of a scenario whose traces are these; also the calls for which there is no table."""
    most = {}
    for trace in lines:
        for call, times in most_calls(trace).items():
            most[call] = max(times, most.get(call, 0))
    cases, unknown = [], sorted(call for call in most if call not in ERRORS and call not in LEFT_OUT)
    for call in sorted(most):
        if call not in ERRORS:
            continue
        errors = errors_of(call)
        for error in errors[:2] if quick else errors:
            for when in occurrences_of(error):
                if when <= most[call] and (when < 2 or not quick):
                    cases.append(Case(subject, scenario, call, error, when))
    return cases, unknown, {call: times for call, times in most.items() if call in LEFT_OUT}


class Campaign:
    """Runs lanes, each a process with namespaces of its own, and collects what they find."""

    def __init__(self, lanes, limit):
        """limit: after how many seconds no further case is tried."""
        self._context = multiprocessing.get_context("fork")
        self._jobs = self._context.Queue()
        self._answers = self._context.Queue()
        self._lanes = [self._context.Process(target=_lane, args=(self._jobs, self._answers, time.monotonic() + limit)) for _ in range(lanes)]
        for lane in self._lanes:
            lane.start()

    def plans(self, pairs, quick):
        """The traces of (subject, scenario), as their plans; what cannot be traced fails the run."""
        for pair in pairs:
            self._jobs.put(("trace", pair))
        plans = {}
        for kind, pair, answer in self._gathered(len(pairs)):
            plans[pair] = plan(*pair, answer, quick) if kind == "traced" else answer
        return plans

    def results(self, cases):
        """Each case's result, as they come."""
        pieces = {}
        for case in cases:
            pieces.setdefault((case.subject, case.scenario), []).append(case)
        jobs = [(pair, listed[at:at + _PIECE]) for pair, listed in pieces.items() for at in range(0, len(listed), _PIECE)]
        # In an order that is always the same and favours nobody, should the time not suffice.
        random.Random(15).shuffle(jobs)
        for job in jobs:
            self._jobs.put(("judge", job))
        for _, _, answer in self._gathered(len(cases)):
            yield answer

    def _gathered(self, count):
        while count:
            try:
                answer = self._answers.get(timeout=5)
            except queue.Empty:
                if not any(lane.is_alive() for lane in self._lanes):
                    raise RuntimeError("all lanes have died") from None
                continue
            count -= 1
            yield answer

    def end(self):
        for _ in self._lanes:
            self._jobs.put(None)
        for lane in self._lanes:
            lane.join(30)
            if lane.is_alive():
                lane.terminate()


def _lane(jobs, answers, deadline):
    # A handler, since what is ignored would be ignored by all programs that are started from here.
    signal.signal(signal.SIGINT, lambda *_: None)
    sys.stdin = open(os.devnull)
    while job := jobs.get():
        kind, argument = job
        if kind == "trace":
            _trace(argument, answers)
        elif time.monotonic() < deadline:
            _judge_all(argument, answers)
        else:
            for case in argument[1]:
                answers.put(("judged", None, Result(case, 0, [], was_tried=False)))


def _trace(pair, answers):
    subject, name = pair
    try:
        scenario = SCENARIOS[name](subject)
        try:
            answers.put(("traced", pair, judge_of(scenario).trace()))
        finally:
            scenario.remove()
    except Exception:
        answers.put(("broken", pair, traceback.format_exc()))


def _judge_all(job, answers):
    (subject, name), cases = job
    done = 0
    try:
        scenario = SCENARIOS[name](subject)
        try:
            judge = judge_of(scenario)
            for case in cases:
                started = time.monotonic()
                try:
                    result = judge.judge(case)
                except Exception:
                    # The judge itself: once more with a program of its own, for the machine may be busy.
                    try:
                        judge = judge_of(scenario)
                        result = judge.judge(case)
                    except Exception:
                        result = Result(case, 0, ["judge: " + traceback.format_exc()], seconds=time.monotonic() - started)
                        judge = judge_of(scenario)
                answers.put(("judged", None, result))
                done += 1
        finally:
            scenario.remove()
    except Exception:
        for case in cases[done:]:
            answers.put(("judged", None, Result(case, 0, ["judge: " + traceback.format_exc()])))
