"""Reloads by SIGHUP; `reloadable` is a fixture that the tests import."""

import signal

import pytest

from support.configuration import ConfigurationFile
from support.namespaces import Cable
from support.sockets import connect, read_to_end


@pytest.fixture
def reloadable(loopbridge, tmp_path):
    """Starts loopbridge with a configuration file of these routes; both are returned."""
    def start(*routes, options=(), wrapper=(), **settings):
        file = ConfigurationFile(tmp_path, *routes, **settings)
        return loopbridge("--config", file.path, *options, wrapper=wrapper), file

    return start


def reload(program):
    """Has it reload; returns what it says of that."""
    before = len(program.messages("reloaded: "))
    program.signal(signal.SIGHUP)
    return program.wait_for_message("reloaded: ", count=before + 1)["message"]


def ask(outside, port):
    """Returns the words of an app that greets, through the bridge."""
    with connect(outside, Cable.CONTAINER, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)[0]


def complaints(program):
    return [line["message"] for line in program.log if line["level"] in ("warning", "error")]
