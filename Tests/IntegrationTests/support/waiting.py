"""Waiting for a condition, with a limit, instead of sleeping and hoping."""

import time


def wait_until(condition, what, limit=10.0, interval=0.01):
    """Returns the condition's first true value; fails once `limit` seconds have passed without one."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {limit:g} s in vain: {what}")
        time.sleep(interval)


def stays_true(condition, what, duration):
    """Fails when the condition is false at any moment of the next `duration` seconds."""
    deadline = time.monotonic() + duration
    while time.monotonic() < deadline:
        assert condition(), what
        time.sleep(0.01)
