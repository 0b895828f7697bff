"""HAProxy, before loopbridge or behind it."""

import shutil

import pytest

from support.processes import Process
from support.waiting import wait_until

_GLOBAL = """
global
    maxconn 200
defaults
    timeout connect 5s
    timeout client 30s
    timeout server 30s
"""


class HAProxy:
    """A running HAProxy with these sections; it serves once one is there for each of the ports and paths."""

    def __init__(self, namespace, folder, sections, ports=(), paths=()):
        program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        if not program:
            pytest.skip("there is no HAProxy here")
        path = folder / f"haproxy-{len(list(folder.glob('haproxy-*')))}.cfg"
        path.write_text(_GLOBAL + sections)
        self._process = Process(namespace.command(program, "-f", str(path), "-db"))
        wait_until(
            lambda: not self._process.is_running or (
                all(namespace.listens_on(port) for port in ports) and all(one.exists() for one in paths)),
            "HAProxy listens", limit=20)
        assert self._process.is_running, self._process.output

    def stop(self):
        self._process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
