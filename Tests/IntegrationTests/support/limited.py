"""A process that may have only so much memory.

```python
with MemoryGroup(48 * MIB) as group:
    program = loopbridge("8080:8000", wrapper=group.wrapper)
```
"""

import os
import time

from support.waiting import wait_until

_V1, _V2 = "/sys/fs/cgroup/memory", "/sys/fs/cgroup"


class MemoryGroup:
    """A cgroup with a limit of memory, of whichever version the machine has; MemoryGroup.PROBLEM says why there is none."""

    @staticmethod
    def problem():
        """Why no group with a limit can be made here; None where one can."""
        try:
            with MemoryGroup(64 << 20):
                return None
        except OSError as error:
            return f"no cgroup with a limit of memory can be made here: {error}"

    def __init__(self, limit):
        self.is_v1 = os.path.exists(f"{_V1}/memory.limit_in_bytes")
        self.path = f"{_V1 if self.is_v1 else _V2}/lb-test-{os.getpid()}-{time.monotonic_ns()}"
        os.mkdir(self.path)
        try:
            self.set_limit(limit)
        except OSError:
            os.rmdir(self.path)
            raise

    def set_limit(self, limit):
        """Gives it another limit."""
        self._write("memory.limit_in_bytes" if self.is_v1 else "memory.max", limit)
        if not self.is_v1:
            self._write("memory.swap.max", 0)

    @property
    def wrapper(self):
        """A command line that has what follows it run in the group, and see it where a container would."""
        # ip-netns(8) gives what it runs another /sys, in which there are no cgroups yet.
        mount = (f"mount -t tmpfs none {_V2} && mkdir {_V1} && mount -t cgroup -o memory none {_V1}" if self.is_v1
                 else f"mount -t cgroup2 none {_V2}")
        return ["/bin/sh", "-c", f'[ -e {self.path} ] || {{ {mount}; }} && echo $$ > {self.path}/cgroup.procs && exec "$@"', "sh"]

    @property
    def most_used(self):
        """The most that was ever charged to it, in bytes."""
        return int(self._read("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak"))

    @property
    def kills(self):
        """Returns the number of processes in it that the system has killed for want of memory."""
        lines = self._read("memory.oom_control" if self.is_v1 else "memory.events").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))

    def _read(self, name):
        with open(f"{self.path}/{name}") as file:
            return file.read().strip()

    def _write(self, name, value):
        with open(f"{self.path}/{name}", "w") as file:
            file.write(str(value))

    def remove(self):
        """Takes it away, once its last process has gone."""
        def is_removed():
            try:
                os.rmdir(self.path)
                return True
            except OSError:
                return False
        wait_until(is_removed, f"{self.path} is empty", interval=0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class FakeGroup:
    """The limit of a container of cgroup version 2 as it sees it itself, with figures that a test chooses."""

    _FILES = "/sys/fs/cgroup"

    def __init__(self, limit, used):
        self._limit, self._used = limit, used

    @property
    def wrapper(self):
        """A command line that has what follows it see this; ip-netns(8) has given it a /sys of its own."""
        script = (f"mount -t tmpfs none {self._FILES} && echo {self._limit} > {self._FILES}/memory.max && "
                  f"echo {self._used} > {self._FILES}/memory.current && echo 'sock 0' > {self._FILES}/memory.stat && "
                  'exec "$@"')
        return ["/bin/sh", "-c", script, "sh"]

    @classmethod
    def use(cls, program, used):
        """Has so much be used from now on, as far as the program can see."""
        with open(f"/proc/{program.pid}/root{cls._FILES}/memory.current", "w") as file:
            file.write(f"{used}\n")
