"""Integration tests: the real program, with a real app behind it and real clients before it.

    swift build && python3 -m pytest Tests/IntegrationTests

Each test has network namespaces of its own, named lb-test-PID-…: `container`, in which loopbridge and the app
run, and `outside`, joined to it by a veth pair as Docker joins a container to its host. So no test meets
another, nor the machine's ports. Both are removed at the end, whatever happened. That takes root; without it
the tests are skipped.

`loopbridge("8080:8000")` starts the program in the container and waits until it listens. When the test is over
it is told to end, and must do so with exit code 0, without a process left behind and without anything on its
standard error but log lines. Apps and clients are threads of the test process with sockets made inside the
namespaces (support/apps.py, support/sockets.py); real programs run through `ip netns exec`.

A test waits for conditions with a limit, and never sleeps for something to have happened.

Environment:
    LOOPBRIDGE_PROGRAM      the program under test (.build/debug/loopbridge)
    LOOPBRIDGE_RELEASE=1    it is the static release build: memory and wake-ups are measured
    LOOPBRIDGE_SANITIZED=1  it is built with a sanitizer: memory is not measured at all
    LOOPBRIDGE_CHAOS_SECONDS  how long the way to the app is tormented, for each combination of settings (8)
    LOOPBRIDGE_STREAM_GIB   how much each way the big stream carries (2)
    LOOPBRIDGE_DNS_QUERIES  how many questions a name server is asked through the bridge (10000)
    LOOPBRIDGE_BODY_GIB     how large a big HTTP body is (0.5)
    LOOPBRIDGE_PICTURES     a folder for pictures of the status page after five minutes of load; none are taken without it
    LOOPBRIDGE_LOG_SLEEP    for how many seconds nobody reads the log (3)
    LOOPBRIDGE_RESTARTS     how often it is restarted while somebody keeps its socket (5)
    LOOPBRIDGE_CERTIFICATE_SWAPS  how often a certificate is replaced by another under load (4)
    LOOPBRIDGE_UPLOADS      how many uploads over TLS are cut into segments, all settings together (400)
    LOOPBRIDGE_SEQUENCES    how many random sequences of events are played (300 HTTP exchanges for each set of settings)
    LOOPBRIDGE_SEED         the seed of the first of them; a random one without it
    LOOPBRIDGE_SCRAPE_SECONDS  how long Prometheus looks at a load (12)
"""

import os
import resource
import signal

import pytest

from support.loopbridge import Loopbridge
from support.namespaces import Cable, Namespace, remove_stale_namespaces
from support.settings import IS_RELEASE, IS_SANITIZED, PROGRAM
from support.tls import Authority
from support.wrapped import Run


def pytest_report_header():
    return f"loopbridge: {PROGRAM}{' (release)' if IS_RELEASE else ''}{' (sanitized)' if IS_SANITIZED else ''}"


# A shell's job in the background has these ignored, and every program that is started here would inherit that.
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


@pytest.fixture(scope="session", autouse=True)
def machine():
    """Skips everything where it cannot work, and makes room for thousands of sockets."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces take root")
    if not os.access(PROGRAM, os.X_OK):
        pytest.exit(f"there is no program at {PROGRAM}: swift build, or set LOOPBRIDGE_PROGRAM", 2)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    remove_stale_namespaces()


@pytest.fixture(autouse=True)
def limit(request):
    """Ends a test that hangs."""
    marker = request.node.get_closest_marker("limit")
    seconds = marker.args[0] if marker else 60

    def fail(*_):
        raise AssertionError(f"the test has not ended in {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def container():
    """The namespace in which loopbridge and the app run; the outside reaches it at Cable.CONTAINER."""
    namespace = Namespace("container")
    yield namespace
    namespace.remove()


@pytest.fixture
def outside(container):
    """The namespace of the clients, joined to the container."""
    namespace = Namespace("outside")
    try:
        Cable(namespace, container)
        yield namespace
    finally:
        namespace.remove()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Signs the certificates of a file's tests."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority):
    """A server's certificate and key, for example.test."""
    return authority.issue("server", "DNS:example.test")


@pytest.fixture
def loopbridge(container):
    """Starts loopbridge in the container, waits until it listens, and sees to its end."""
    running = []

    def start(*arguments, namespace=container, wait=True, **options):
        program = Loopbridge(namespace, *arguments, **options)
        running.append(program)
        if wait:
            program.wait_until_listening()
        return program

    yield start
    try:
        for program in running:
            if program.code is None:
                program.end()
            program.assert_clean()
    finally:
        for program in running:
            program.kill()


@pytest.fixture
def run(container):
    """Starts `loopbridge run` with a command, and sees to the end of both, however that comes."""
    running = []

    def start(command, *arguments, namespace=container, noisy=False, **options):
        program = Run(namespace, command, *arguments, **options)
        running.append((program, noisy))
        return program

    yield start
    try:
        for program, noisy in running:
            if program.code is None:
                program.end()
            if noisy:
                program.noise.clear()
            program.assert_clean(codes=(program.code,))
    finally:
        for program, _ in running:
            program.kill()


@pytest.fixture
def auto(container):
    """Starts `loopbridge auto` in the container, and sees to its end."""
    running = []

    def start(*arguments, **options):
        running.append(Run(container, None, *arguments, subcommand="auto", **options))
        return running[-1]

    yield start
    try:
        for program in running:
            assert program.terminate() == 0
            program.assert_clean()
    finally:
        for program in running:
            program.kill()
