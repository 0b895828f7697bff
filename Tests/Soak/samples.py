"""Figures of the program's process over time."""

import statistics
import threading
import time

INTERVAL = 2.0


class Sampler:
    """Looks every two seconds until it is stopped."""

    def __init__(self, subject):
        self._subject = subject
        self.rows = []
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._is_over.wait(INTERVAL):
            try:
                self.rows.append({"time": time.monotonic(), "anonymous": self._subject.anonymous_memory(),
                                  "descriptors": self._subject.descriptors(), "cpu": self._subject.cpu_seconds(),
                                  "waited": self._subject.waited_for_processor()})
            except (OSError, StopIteration):
                return

    def stop(self):
        self._is_over.set()
        self._thread.join(10)


def delays(rows):
    """When the program had to wait for a processor for more than a quarter of the time."""
    return [{"from": before["time"], "to": after["time"]} for before, after in zip(rows, rows[1:])
            if after["waited"] - before["waited"] > (after["time"] - before["time"]) / 4 or after["time"] - before["time"] > 2 * INTERVAL]


def growth(rows, name):
    """By how much a figure grew over the last half, in the same unit: the slope of Theil and Sen, which a few spikes do not move,
    times the half's length."""
    half = rows[len(rows) // 2:]
    step = max(1, len(half) // 150)
    points = [(row["time"], row[name]) for row in half[::step]]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for index, a in enumerate(points) for b in points[index + 1:]]
    return statistics.median(slopes) * (points[-1][0] - points[0][0]) if slopes else 0.0
