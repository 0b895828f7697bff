"""Real web apps that listen on loopback in a namespace, started as their users start them."""

import pathlib

from support.configuration import ConfigurationFile, route
from support.processes import Process
from support.waiting import wait_until

# The folder of our own apps.
APPS = pathlib.Path(__file__).resolve().parents[2] / "apps"


def start_web_app(namespace, *command, port=8000, **options):
    """Starts a program and waits until it listens at the port; returns its Process, to be stopped by the caller."""
    process = Process(namespace.command(*command), **options)
    try:
        wait_until(
            lambda: namespace.listens_on(port) or not process.is_running, f"{command[0]} listens", limit=30)
        assert process.is_running, f"{' '.join(command)} has ended:\n{process.output}"
    except BaseException:
        process.stop()
        raise
    return process


def http_route(folder, upstream="localhost:8000", listen=8080, route_settings=(), **settings):
    """The options that make loopbridge carry HTTP to an app, with these settings of `http:`."""
    inner = "{ " + ", ".join(f"{name}: {value}" for name, value in settings.items()) + " }"
    place = folder / str(listen)
    place.mkdir()
    file = ConfigurationFile(
        place, route(listen, upstream, protocol="http", http=inner if settings else None, **dict(route_settings)))
    return "--config", file.path
