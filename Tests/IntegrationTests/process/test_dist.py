"""The program as it is shipped: one static file that needs nothing else."""

import os
import shutil
import subprocess

import pytest

from support.apps import App, greets
from support.namespaces import Cable
from support.settings import IS_RELEASE, PROGRAM
from support.sockets import connect
from support.waiting import wait_until

pytestmark = pytest.mark.skipif(not IS_RELEASE, reason="this is not the release build")

MEGABYTE = 1_000_000


def test_is_static_and_stripped():
    kind = subprocess.run(["file", "--brief", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert "statically linked" in kind and "stripped" in kind and "not stripped" not in kind


def test_is_at_most_20_megabytes():
    assert os.path.getsize(PROGRAM) <= 20 * MEGABYTE


def test_starts_in_an_empty_root(tmp_path):
    shutil.copy(PROGRAM, tmp_path / "loopbridge")
    run = subprocess.run(["chroot", tmp_path, "/loopbridge", "--version"], capture_output=True, text=True, timeout=30)
    assert run.returncode == 0 and run.stdout.startswith("loopbridge "), run


def test_carries_traffic_in_an_empty_root(tmp_path, container, outside):
    """No /proc, no /etc, no /dev/null: it serves all the same."""
    shutil.copy(PROGRAM, tmp_path / "loopbridge")
    program = subprocess.Popen(
        container.command("chroot", tmp_path, "/loopbridge", "8080:8000"),
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        with App(container, greets(b"hello")):
            wait_until(lambda: container.listens_on(8080), "it listens")
            with connect(outside, Cable.CONTAINER, 8080) as client:
                client.sendall(b"you")
                assert client.recv(100) == b"hello you"
    finally:
        program.terminate()
        assert program.wait(10) == 0
