"""Container tests: the image of the real Dockerfile, on a real Docker engine.

    make test-container

The engine is the tests' own: dockerd runs in a network namespace named lb-test-PID-…, which is "the host" here, so
that its bridge, its published ports and its packet filter meet nothing of the machine's, nor of another engine.
A second one, without any network of its own, builds the images before. Both end with the tests. Images and build
layers are kept for the next run in ${XDG_CACHE_HOME:-~/.cache}/loopbridge-tests.

No image is pulled: the bases that the Dockerfiles name are made of Debian's packages and the machine's Swift
(make-base-image). It takes root. Where dockerd cannot run, the tests fail and say why.

`container("image", "command", options=[…])` is a container that is gone when the test is over; the namespace
`host` is where its published ports are, and where a browser would run.

Environment:
    LOOPBRIDGE_PROGRAM   a static program to put into the image instead of the one that the Dockerfile builds
"""

import fcntl
import os
import pathlib
import shutil
import signal
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "IntegrationTests"))
_program = os.environ.get("LOOPBRIDGE_PROGRAM")

from support.namespaces import Namespace, remove_stale_namespaces  # noqa: E402  (needs the path above)

from engine.containers import LOCKED, Container  # noqa: E402
from engine.daemon import DOCKER, Daemon, remove_stale_folders  # noqa: E402
from engine.images import make_all  # noqa: E402
from engine.terminal import Terminal  # noqa: E402

_CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "loopbridge-tests"


@pytest.fixture(scope="session")
def images():
    """Makes the images. Returns the folder that has them, which is ours alone until the tests are over."""
    problem = (
        "the container tests take root" if os.geteuid() != 0
        else "there is no docker: scripts/install-packages containers" if DOCKER is None
        else "there is no dockerd: scripts/install-packages containers"
        if not shutil.which("dockerd", path=os.environ["PATH"] + ":/usr/sbin") else None)
    if problem:
        pytest.fail(problem, pytrace=False)
    _CACHE.mkdir(parents=True, exist_ok=True)
    with open(_CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_stale_folders()
        remove_stale_namespaces()
        data = _CACHE / "docker"
        daemon = Daemon(data, "--bridge", "none", "--iptables=false", "--ip-forward=false")
        try:
            daemon.remove_containers()  # those of a run that was killed
            make_all(daemon, _program and os.path.abspath(_program))
        finally:
            daemon.stop()
        yield data


@pytest.fixture(scope="session")
def host(images):
    """The network namespace that is the host: published ports are on its 127.0.0.1 and 0.0.0.0."""
    namespace = Namespace("host")
    yield namespace
    namespace.remove()


@pytest.fixture(scope="session")
def docker(images, host):
    """The engine."""
    daemon = Daemon(images, namespace=host)
    try:
        yield daemon
    finally:
        try:
            daemon.remove_containers()
        finally:
            daemon.stop()


@pytest.fixture(autouse=True)
def limit(request):
    """Ends a test that hangs. Making the images does not count."""
    request.getfixturevalue("docker")
    marker = request.node.get_closest_marker("limit")
    seconds = marker.args[0] if marker else 120

    def fail(*_):
        raise AssertionError(f"the test has not ended in {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(params=["plain", "locked"])
def privileges(request):
    """The options of docker run for a container as it comes, and for one with as few privileges as there are."""
    return () if request.param == "plain" else LOCKED


@pytest.fixture
def networks(docker):
    """The names of the networks that a test has made; they go after its containers."""
    names = []
    yield names
    for name in names:
        docker.run("network", "rm", name)


@pytest.fixture
def network(docker, networks):
    """The name of a network as users make them."""
    name = f"lb-test-{os.getpid()}"
    docker.run("network", "create", name)
    networks.append(name)
    return name


@pytest.fixture
def container(docker, networks):
    """Starts containers, and removes them when the test is over."""
    started = []

    def start(image, *command, options=()):
        new = Container(docker, image, *command, options=options)
        started.append(new)
        return new

    yield start
    for each in reversed(started):
        each.remove()


@pytest.fixture
def terminal(docker):
    """Starts `docker run -it …` with a person at the terminal."""
    started = []

    def start(*arguments):
        new = Terminal(docker.command("run", "--interactive", "--tty", "--rm", *arguments), docker.environment)
        started.append(new)
        return new

    yield start
    for each in started:
        each.close()
