"""`loopbridge run` and the app that it wraps, both under the test's control."""

import itertools
import json
import pathlib
import socket

from support.loopbridge import Loopbridge
from support.waiting import wait_until

PYTHON = "/usr/bin/python3"
_PROGRAM = pathlib.Path(__file__).parent / "actors/child.py"
_LOG = ["--log-format", "json", "--log-level", "debug"]


class Run(Loopbridge):
    """A running `loopbridge run`; `arguments` are its own options and routes."""

    def __init__(self, namespace, command, *arguments, subcommand="run", **options):
        ending = ["--", *command] if command else []
        super().__init__(namespace, subcommand, *_LOG, *arguments, *ending, serve=False, **options)

    def bridged(self):
        """The ports that have been announced as bridged, in order."""
        return [int(line["route"].removeprefix("auto:")) for line in self.messages("forwarding to")
                if line.get("route", "").startswith("auto:") and "no longer" not in line["message"]]


class Child:
    """The controllable app (child.py): the command line that starts it, and its functions as methods.

    ```python
    child = Child(tmp_path)
    Run(container, child.command)
    child.listen("127.0.0.1", 8000)
    ```
    """

    _numbers = itertools.count(1)

    def __init__(self, folder):
        self._path = str(folder / f"control-{next(Child._numbers)}")
        self.command = [PYTHON, str(_PROGRAM), self._path]
        self._lines = None

    def _connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)

        def is_there():
            try:
                connection.connect(self._path)
                return True
            except OSError:
                return False

        wait_until(is_there, "the child has started", limit=20)
        self._lines = connection.makefile("rw")
        connection.close()

    def ready(self):
        """Waits until it has started."""
        if self._lines is None:
            self._connect()
        return self

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def call(*arguments):
            self.ready()
            self._lines.write(json.dumps([name, arguments]) + "\n")
            self._lines.flush()
            if name in ("end", "end_by"):
                return None
            answer = json.loads(self._lines.readline())
            assert "error" not in answer, answer["error"]
            return answer["value"]

        return call
