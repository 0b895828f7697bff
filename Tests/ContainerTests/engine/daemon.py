"""A dockerd of the tests' own, which shares nothing with one that the machine may have."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from support.waiting import wait_until

# Debian's client before any other: it speaks the daemon's version, and has BuildKit built in.
DOCKER = next((path for path in ("/usr/bin/docker", shutil.which("docker") or "") if os.access(path, os.X_OK)), None)
_PREFIX = "lb-docker-"
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


class DockerError(AssertionError):
    """A docker command failed; the message is what it said."""


def remove_stale_folders():
    """Removes the folders that test runs which were killed have left behind; their daemons ended with them."""
    for folder in pathlib.Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = folder.name[len(_PREFIX):].split("-")[0]
        if not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(folder, ignore_errors=True)


class Daemon:
    """A running dockerd, and its command line.

    Its images are kept in `data` for the next run. Its socket, pid file and all else of the run are in a folder
    that goes with it. It is told to end when the test process dies, however that happens.
    """

    def __init__(self, data, *options, namespace=None):
        """Starts it, in a network namespace if one is named, and waits until it answers."""
        self.data = pathlib.Path(data)
        self._run = pathlib.Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
        self._socket = self._run / "docker.sock"
        # In place of the settings of the machine's own dockerd: how many build layers are kept.
        (self._run / "daemon.json").write_text('{"builder": {"gc": {"enabled": true, "defaultKeepStorage": "5GB"}}}')
        self._log = self._run / "dockerd.log"
        command = [
            "setpriv", "--pdeathsig", "TERM", "dockerd", "--host", f"unix://{self._socket}", "--data-root", str(data),
            "--exec-root", str(self._run / "exec"), "--pidfile", str(self._run / "docker.pid"),
            "--config-file", str(self._run / "daemon.json"), "--log-level", "warn", *options]
        if namespace:
            # Not `ip netns exec`: that hides the control groups under /sys.
            command = ["nsenter", f"--net=/run/netns/{namespace.name}", *command]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "PATH": f"{os.environ['PATH']}:{_SBIN}"})
        try:
            wait_until(self._answers_or_ended, "dockerd answers", limit=60, interval=0.1)
            if self._process.poll() is not None:
                raise DockerError("it ended at once")
        except AssertionError as error:
            log = self.log
            self.stop()
            raise DockerError(f"dockerd does not run here: {error}\n{log}") from None

    def _answers_or_ended(self):
        return self._process.poll() is not None or (
            self._socket.exists()
            and subprocess.run(self.command("version"), capture_output=True, env=self.environment).returncode == 0)

    @property
    def log(self):
        """The last part of dockerd's own log."""
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else ""

    @property
    def environment(self):
        """The environment in which docker and docker-compose find this daemon and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "COMPOSE_"))}
        return {**kept, "DOCKER_HOST": f"unix://{self._socket}", "DOCKER_CONFIG": str(self._run), "DOCKER_BUILDKIT": "1"}

    def command(self, *arguments):
        """The command line of `docker arguments`; it needs `environment`."""
        return [DOCKER, *map(str, arguments)]

    def run(self, *arguments, limit=60, stdin=subprocess.DEVNULL):
        """Runs `docker arguments` to its end and returns its output; raises DockerError when it fails."""
        result = self.try_run(*arguments, limit=limit, stdin=stdin)
        if result.returncode != 0:
            said = (result.stdout + result.stderr).strip()[-6000:]
            raise DockerError(f"docker {' '.join(map(str, arguments))}: exit code {result.returncode}\n{said}")
        return result.stdout.strip()

    def try_run(self, *arguments, limit=60, stdin=subprocess.DEVNULL):
        """Runs `docker arguments` to its end, whatever its exit code."""
        return subprocess.run(
            self.command(*arguments), env=self.environment, stdin=stdin, capture_output=True, text=True, timeout=limit)

    def remove_containers(self):
        """Removes every container and network: there are none but the tests'."""
        containers = self.run("ps", "--all", "--quiet").split()
        if containers:
            self.run("rm", "--force", "--volumes", *containers)
        self.run("network", "prune", "--force")

    def stop(self):
        """Ends it, by its pid, and all that it started."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        shutil.rmtree(self._run, ignore_errors=True)
