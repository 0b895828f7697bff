"""Workers share the clients; the kernel deals them out."""

import pytest

from support.apps import App, AppInHand, echo
from support.namespaces import Cable
from support.pairs import Pairs
from support.sockets import connect, read_exactly
from support.waiting import wait_until


def workers(program):
    return [task for task, name in program.tasks().items() if name.startswith("worker")]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_as_many_threads_as_asked_for(container, loopbridge, count):
    program = loopbridge("--workers", str(count), "8080:8000")
    wait_until(lambda: len(workers(program)) == count, f"{count} workers")


def test_both_serve(container, outside, loopbridge):
    """Many connections cost both threads processor time."""
    program = loopbridge("--workers", "2", "8080:8000")
    with App(container, echo):
        wait_until(lambda: len(workers(program)) == 2, "2 workers")
        before = {task: program.cpu_seconds(task) for task in workers(program)}

        def both_have_worked():
            with connect(outside, Cable.CONTAINER, 8080) as client:
                for _ in range(100):
                    client.sendall(bytes(10_000))
                    read_exactly(client, 10_000)
            return all(program.cpu_seconds(task) > seconds for task, seconds in before.items())

        # The kernel deals the clients out by chance, and shows hundredths of a second.
        wait_until(both_have_worked, "both have used processor time")


def test_a_stopped_stream_on_one_does_not_stop_the_other(container, outside, loopbridge):
    """A client that reads nothing blocks no thread."""
    program = loopbridge("--workers", "2", "8080:8000")
    with AppInHand(container) as in_hand:
        pairs = Pairs(program, outside, container, in_hand)
        for _ in range(8):
            client, app = pairs.make(receive_buffer=4096)
            app.settimeout(0.1)
            try:
                while True:
                    app.send(bytes(1 << 20))
            except OSError:
                pass
        for _ in range(20):
            client, app = pairs.make()
            client.sendall(b"hello")
            assert read_exactly(app, 5) == b"hello"
            client.close()
            app.close()
