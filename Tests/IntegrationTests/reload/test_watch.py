"""--watch: a change of the configuration file takes effect by itself, and never half of it."""

import os
import signal
import time

import pytest

from support.apps import App, greets
from support.configuration import ConfigMap, ConfigurationFile, route, text_of
from support.namespaces import Cable
from support.reloading import complaints
from support.settings import IS_SANITIZED
from support.sockets import connect, read_to_end
from support.waiting import stays_true, wait_until
from support.wrapped import Child

# From the change to its effect, where the machine is not busy. A sanitizer's build may take its time.
PROMPTLY = 5.0 if IS_SANITIZED else 1.0


def watching(loopbridge, path, *options, **more):
    return loopbridge("--watch", "--config", str(path), *options, **more)


def reloads(program):
    return [line["message"] for line in program.messages("reloaded: ")]


def wait_for_reload(program, count):
    """Waits for so many reloads in all; fails when there are more."""
    program.wait_for_message("reloaded: ", count=count)
    assert len(reloads(program)) == count, program.describe()


def test_a_config_map_is_swapped(container, loopbridge, tmp_path):
    config_map = ConfigMap(tmp_path, text_of(route(8080, 8000)))
    program = watching(loopbridge, config_map.path)
    delays = []
    for number in range(1, 6):
        config_map.update(text_of(route(8080, 8000), route(8080 + number, 8000)))
        swapped = time.monotonic()
        wait_until(lambda: container.listens_on(8080 + number), "the new route listens", interval=0.002)
        delays.append(time.monotonic() - swapped)
    # A busy machine may be slower now and then.
    assert min(delays) < PROMPTLY, delays
    wait_for_reload(program, 5)
    assert not complaints(program)


def test_a_file_that_is_renamed_over_and_one_that_is_written_in_place(container, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path)
    file.set(route(8080, 8000), route(8081, 8000))
    wait_until(lambda: container.listens_on(8081), "it is followed")
    with open(file.path, "w") as target:
        target.write(text_of(route(8080, 8000), route(8082, 8000)))
    wait_until(lambda: container.listens_on(8082), "it is followed")
    program.wait_for_message("reloaded: ", count=2)
    assert reloads(program) == ["reloaded: 1 route added, 1 unchanged"] + [
        "reloaded: 1 route added, 1 removed, 1 unchanged"]


@pytest.mark.parametrize("is_new", [False, True])
def test_a_half_written_file_is_never_applied(container, loopbridge, tmp_path, is_new):
    """Every prefix of the file that ends with a route is a valid file; its writer takes longer than any delay of ours."""
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path)
    if is_new:
        os.unlink(file.path)
        program.wait_for_message("has gone")
    with open(file.path, "w") as target:
        target.write("routes:\n")
        for port in range(8080, 8084):
            target.write(f"  - {route(port, 8000)}\n")
            target.flush()
            stays_true(lambda: not program.messages("reload"), "half of the file is applied", 0.7)
    wait_for_reload(program, 1)
    assert reloads(program) == ["reloaded: 3 routes added, 1 unchanged"]
    assert all(container.listens_on(port) for port in range(8080, 8084))


def test_whoever_writes_all_the_time_is_never_caught_halfway(container, loopbridge, tmp_path):
    """Whenever the file is read, it says either the one or the other: in place, and as fast as it goes."""
    texts = [text_of(*(route(port, 8000, f"r{port}", hold=f"{turn + 1}s") for port in range(8080, 8090)))
             for turn in range(2)]
    file = ConfigurationFile(tmp_path)
    file.replace(texts[0])
    program = watching(loopbridge, file.path)
    until, turns = time.monotonic() + 3, 0
    while time.monotonic() < until:
        turns += 1
        with open(file.path, "w") as target:
            for line in texts[turns % 2].splitlines(keepends=True):
                target.write(line)
                target.flush()
        time.sleep(0.05 if turns % 10 else 0.2)  # the writer's pace, beside the time for which the file has to stay as it is
    file.replace(texts[1].replace("2s", "3s"))
    program.wait_for_message("reloaded: 10 routes changed")
    for message in reloads(program):
        assert message in ("reloaded: 10 routes changed", "reloaded: 10 routes unchanged")
    assert not complaints(program)


def test_an_invalid_file_is_reported_and_mended(container, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path)
    file.replace("routes: [ { listen: 8081 }")
    program.wait_for_message("not reloaded, nothing has changed")
    assert container.listens_on(8080) and not container.listens_on(8081)
    file.set(route(8080, 8000), route(8081, 8000))
    wait_for_reload(program, 1)
    assert container.listens_on(8081)


def test_a_file_that_is_removed_still_holds(container, outside, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path)
    os.unlink(file.path)
    assert program.wait_for_message("has gone")["level"] == "warning"
    with App(container, greets(b"welcome")), connect(outside, Cable.CONTAINER, 8080) as client:
        client.sendall(b"hello")
        assert read_to_end(client)[0] == b"welcome hello"
    file.set(route(8080, 8000), route(8081, 8000))
    wait_for_reload(program, 1)


def test_a_file_that_comes_later(container, loopbridge, tmp_path):
    """The file says nothing of the route that the command line has, which stands above it."""
    folder = tmp_path / "later"
    program = watching(loopbridge, "loopbridge.yaml", "8080:8000", wrapper=[
        "/bin/sh", "-c", f'mkdir {folder} && cd {folder} && echo "drain: 7s" > loopbridge.yaml && exec "$0" "$@"'])
    file = folder / "loopbridge.yaml"
    file.unlink()
    folder.rmdir()
    program.wait_for_message("has gone")
    # Its working folder is no more: nothing can come there any more, and nobody is bothered by it.
    stays_true(lambda: len(program.messages("has gone")) == 1, "it is told once", 0.5)
    assert not reloads(program)


def test_without_the_option_nothing_is_watched(container, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = loopbridge("--config", file.path)
    file.set(route(8080, 8000), route(8081, 8000))
    stays_true(lambda: not container.listens_on(8081), "it is followed", 0.7)
    assert not [link for link in descriptors(program) if "inotify" in link]


def test_the_environment_asks_for_it(container, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = loopbridge(environment={"LOOPBRIDGE_WATCH": "true", "LOOPBRIDGE_CONFIG": file.path})
    file.set(route(8080, 8000), route(8081, 8000))
    wait_for_reload(program, 1)


def test_it_costs_nothing_while_nothing_happens(container, loopbridge, tmp_path):
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path)
    for turn in range(10):
        file.set(route(8080, 8000, hold=f"{turn + 1}s"))
        wait_for_reload(program, turn + 1)
        if turn == 0:
            open_before = len(descriptors(program))
    assert len(descriptors(program)) == open_before
    if IS_SANITIZED:
        return  # the thread sanitizer has a thread of its own, which wakes
    program.wait_until_asleep(limit=10)


def descriptors(program):
    return [os.readlink(f"/proc/{program.pid}/fd/{number}") for number in os.listdir(f"/proc/{program.pid}/fd")]


def test_where_the_system_refuses_to_watch(container, loopbridge, tmp_path):
    """A warning, and the rest works. Only this one process is refused, by its tracer."""
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    program = watching(loopbridge, file.path, wrapper=[
        "strace", "-DDD", "-f", "-o", "/dev/null", "-e", "trace=inotify_init1",
        "-e", "inject=inotify_init1:error=EMFILE"])
    warning = program.wait_for_message("cannot watch the configuration file")
    assert warning["level"] == "warning" and "inotify" in warning["reason"]
    file.set(route(8080, 8000), route(8081, 8000))
    program.signal(signal.SIGHUP)
    wait_for_reload(program, 1)
    assert container.listens_on(8081)


def test_run_follows_the_file_too(container, run, tmp_path):
    """Its SIGHUP is the app's, so that this is the way to change its routes."""
    file = ConfigurationFile(tmp_path, route(8080, 8000))
    child = Child(tmp_path)
    program = run(child.command, "--watch", "--config", file.path)
    child.ready()
    wait_until(lambda: container.listens_on(8080), "it listens")
    file.set(route(8080, 8000), route(8081, 8000))
    wait_for_reload(program, 1)
    assert container.listens_on(8081)
