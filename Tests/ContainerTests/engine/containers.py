"""A container of the tests, from `docker run` to `docker rm`."""

import json
import os
import time

from support.waiting import wait_until

_LISTENING = "0A"

#: As little as a container can be given: no user of its own, no capability, nothing to write to.
LOCKED = (
    "--user", "65532:65532", "--cap-drop", "ALL", "--read-only", "--security-opt", "no-new-privileges")


class Container:
    """A container that runs in the background."""

    def __init__(self, daemon, image, *command, options=()):
        self._daemon = daemon
        self.id = daemon.run("run", "--detach", *options, image, *command)

    def inspect(self, what):
        """A part of what the engine knows of it."""
        return json.loads(self._daemon.run("inspect", "--format", "{{json " + what + "}}", self.id))

    @property
    def pid(self):
        """The process id, as the host sees it, of its process 1."""
        return self.inspect(".State.Pid")

    @property
    def is_running(self):
        return self.inspect(".State.Running")

    @property
    def exit_code(self):
        return self.inspect(".State.ExitCode")

    @property
    def health(self):
        """The engine's verdict on it, by the image's health check: starting, healthy or unhealthy."""
        return self.inspect(".State.Health.Status")

    @property
    def addresses(self):
        """Its addresses in all of its networks."""
        return [network["IPAddress"] for network in self.inspect(".NetworkSettings.Networks").values()]

    @property
    def log(self):
        """Its output, both streams."""
        result = self._daemon.try_run("logs", self.id)
        return result.stdout + result.stderr

    def run(self, *command, options=()):
        """Runs a command inside and returns its output."""
        return self._daemon.run("exec", *options, self.id, *command)

    def listening(self):
        """The (address, port) pairs inside on which somebody listens with TCP, as /proc writes addresses."""
        found = set()
        for table in ("tcp", "tcp6"):
            with open(f"/proc/{self.pid}/net/{table}") as file:
                for line in file.read().splitlines()[1:]:
                    fields = line.split()
                    if fields[3] == _LISTENING:
                        address, port = fields[1].split(":")
                        found.add((address, int(port, 16)))
        return found

    def wait_until_listening(self, port, count=1, limit=30):
        """Waits until somebody inside listens on so many addresses at this port."""
        def listens():
            assert self.is_running, f"it has ended with exit code {self.exit_code}:\n{self.log}"
            return sum(1 for _, listened in self.listening() if listened == port) >= count
        try:
            wait_until(listens, f"{count} address(es) with a listener at port {port}", limit, interval=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from None

    def wait_until_not_listening(self, port, limit=30):
        """Waits until nobody inside listens at this port."""
        wait_until(
            lambda: all(listened != port for _, listened in self.listening()), f"nobody listens at port {port}", limit,
            interval=0.02)

    def wait_for_log(self, text, limit=30):
        """Waits until it has said this."""
        try:
            wait_until(lambda: text in self.log, f"it says {text!r}", limit, interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}; it said\n{self.log}") from None

    def wait_until_processes(self, names, limit=30):
        """Waits until its processes have these names, one each, and there is no other, living or zombie."""
        try:
            wait_until(
                lambda: sorted(name for _, _, name in self.processes()) == sorted(names), "no other process is left",
                limit, interval=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.processes()}") from None

    def processes(self):
        """The (process id, state, name) of all of its processes, as the host sees them."""
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        found = []
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{entry}/stat") as file:
                    before, _, after = file.read().rpartition(")")
                # A zombie's own link is gone; it is known by its parent then.
                if _pid_space(entry) == space or _pid_space(after.split()[1]) == space:
                    found.append((int(entry), after.split()[0], before.partition("(")[2]))
            except (FileNotFoundError, ProcessLookupError):
                continue
        return found

    def stop(self, grace=10):
        """`docker stop`; returns how many seconds it took."""
        started = time.monotonic()
        self._daemon.run("stop", "--time", str(grace), self.id, limit=grace + 60)
        return time.monotonic() - started

    def remove(self):
        self._daemon.try_run("rm", "--force", "--volumes", self.id)


def _pid_space(pid):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None
