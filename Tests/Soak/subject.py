"""The program under test: loopbridge, or HAProxy for comparison."""

import collections
import csv
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import routes
from support import admin
from support.waiting import wait_until

CRASH_MARKS = ("Sanitizer", "Fatal error", "*** ", "Crash", "Illegal instruction", "free():", "malloc")


class Subject:
    """A running program whose log goes through a reader that can be told to stall."""

    clock = "the machine's"
    # Has it end in good order.
    last_signal = signal.SIGTERM
    # Two workers may keep 16 each, of two ends, beside those that wake them up.
    PIPES = 2 * (2 * 16 + 5)

    def __init__(self, namespace, command, folder):
        self.namespace = namespace
        self.noise = []
        self.messages = collections.Counter()
        self.failures = collections.Counter()
        self._may_read = threading.Event()
        self._may_read.set()
        self.log_path = f"{folder}/program.log"
        self.process = subprocess.Popen(
            namespace.command(*command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, "SWIFT_BACKTRACE": "interactive=no,color=no"})
        self.pid = self.process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        with open(self.log_path, "wb") as file:
            for line in self.process.stderr:
                file.write(line)
                self.take_line(line)
                self._may_read.wait()

    def take_line(self, line):
        self.noise.append(line.decode(errors="replace").rstrip())

    def stall_log(self, seconds):
        """Nobody reads what it logs for so long."""
        self._may_read.clear()
        time.sleep(seconds)
        self._may_read.set()

    def signal(self, number):
        os.kill(self.pid, number)

    @property
    def is_running(self):
        return self.process.poll() is None

    def anonymous_memory(self):
        with open(f"/proc/{self.pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Anonymous:"))

    def descriptors(self):
        """Returns the number of open descriptors, less those that are kept on purpose: pipes for splice(2), at most PIPES of them, and
        spare connections."""
        names = []
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                names.append(os.readlink(f"/proc/{self.pid}/fd/{number}"))
            except FileNotFoundError:
                pass
        pipes = sum(name.startswith("pipe:") for name in names)
        return len(names) - min(pipes, self.PIPES)

    def described_descriptors(self):
        """Returns a description of each; of sockets, as ss(8) shows them."""
        names = []
        for number in os.listdir(f"/proc/{self.pid}/fd"):
            try:
                names.append(f"{number} {os.readlink(f'/proc/{self.pid}/fd/{number}')}")
            except FileNotFoundError:
                pass
        shown = subprocess.run(self.namespace.command("ss", "-Hanpxtu"), capture_output=True, text=True).stdout
        return names + [" ".join(line.split()) for line in shown.splitlines() if f"pid={self.pid}," in line]

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def waited_for_processor(self):
        """For how long its threads have been ready and had to wait for a processor, the worst of them, in seconds."""
        worst = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                    worst = max(worst, int(file.read().split()[1]))
            except FileNotFoundError:
                pass
        return worst / 1e9

    def crash_marks(self):
        return [line for line in self.noise if any(mark in line for mark in CRASH_MARKS)]

    def end(self, limit=30):
        """Its exit code; None where it does not end."""
        if self.is_running:
            self.signal(self.last_signal)
        try:
            code = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        self._may_read.set()
        self._reader.join(10)
        return code


class Loopbridge(Subject):
    """With a clock of its own, where the kernel can do that: `offset` is added to its monotonic clock, in seconds."""

    name = "loopbridge"
    reloads = True

    def __init__(self, namespace, program, folder, offset):
        self.configuration = f"{folder}/loopbridge.yaml"
        self.configure(routes.loopbridge(folder))
        command = [program, "--config", self.configuration]
        if offset:
            command = ["unshare", "--time", "--monotonic", str(offset), "--boottime", str(offset), *command]
        super().__init__(namespace, command, folder)
        try:
            self._find(program, offset)
        except BaseException:
            self.process.kill()
            raise

    def _find(self, program, offset):
        """Waits until it is itself, and listens."""
        if offset:
            self.pid = wait_until(lambda: self._program_in_time_namespace(program), "the program runs in a time namespace")
            self.clock = f"{offset} s ahead of the machine's"
        wait_until(lambda: self.messages["forwarding"] >= len(routes.ROUTES) or not self.is_running, "it listens", limit=30)

    def _program_in_time_namespace(self, program):
        """unshare(1) becomes the program, or its parent, depending on the kernel."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            for pid in (self.process.pid, *map(int, file.read().split())):
                if os.path.samefile(f"/proc/{pid}/exe", program):
                    return pid
        assert self.is_running, "it has ended"
        return None

    def configure(self, text):
        with open(self.configuration + ".new", "w") as file:
            file.write(text)
        os.rename(self.configuration + ".new", self.configuration)

    def take_line(self, line):
        try:
            entry = json.loads(line)
            message = entry["message"]
        except (ValueError, KeyError, TypeError):
            super().take_line(line)
            return
        if "forwarding to" in message:
            message = "forwarding"
        # Numbers differ, sentences are few.
        self.messages[re.sub(r"\d+", "#", message)[:120]] += 1

    def ask(self, target):
        """The admin port's answer."""
        answer = admin.ask(self.namespace, target, *routes.ADMIN)
        assert answer.status == 200, f"{target}: {answer.status}"
        return answer

    def gauges(self):
        """Returns the gauges that are not 0, less what is kept on purpose; when nobody is there, there is to be none."""
        found = {}
        for name, value in admin.samples(self.ask("/metrics").text).items():
            base = name.partition("{")[0]
            if base in ("loopbridge_connections", "loopbridge_clients_held", "loopbridge_clients_queued", "loopbridge_parked_bytes",
                        "loopbridge_worker_connections") or 'state="used"' in name or 'state="idle"' in name:
                if value and "_limit" not in base:
                    found[name] = value
            if 'state="spare"' in name and "_limit" not in base and value > 4:
                found[name] = value
        return found

    def quiet_descriptors(self):
        spare = sum(value for name, value in admin.samples(self.ask("/metrics").text).items()
                    if name.startswith("loopbridge_upstream_connections{") and 'state="spare"' in name)
        time.sleep(1)
        return self.descriptors() - int(spare)

    def counters(self):
        samples = admin.samples(self.ask("/metrics").text)
        return {name: value for name, value in samples.items() if value and (
            "_failures_total" in name or "reloads_total" in name or "connections_total" in name or "log_lines" in name
            or "bytes_total" in name)}


class HAProxy(Subject):
    name = "HAProxy"
    reloads = False
    last_signal = signal.SIGUSR1

    def __init__(self, namespace, folder):
        path = f"{folder}/haproxy.cfg"
        with open(path, "w") as file:
            file.write(routes.haproxy(folder))
        self._socket = f"{folder}/haproxy.sock"
        program = shutil.which("haproxy", path=os.environ["PATH"] + ":/usr/sbin")
        super().__init__(namespace, [program, "-f", path, "-db"], folder)
        wait_until(lambda: os.path.exists(self._socket) or not self.is_running, "HAProxy listens", limit=20)
        assert self.is_running, self.noise

    def gauges(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(self._socket)
            connection.sendall(b"show stat\n")
            text = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        # Not the one that asks.
        return {f"{row['pxname']} {row['svname']} {name}": int(row[name]) for row in rows for name in ("scur", "qcur")
                if row[name] and int(row[name])}

    def counters(self):
        return {}

    def quiet_descriptors(self):
        return self.descriptors()
