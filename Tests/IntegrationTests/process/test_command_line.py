"""Exit codes, and where settings come from: command line, environment, file, default."""

import pytest

from support.apps import App, greets
from support.loopbridge import run_to_end
from support.namespaces import Cable, run
from support.settings import PROGRAM
from support.sockets import connect, read_to_end

DONE, USAGE, CONFIGURATION, CANNOT_LISTEN = 0, 64, 78, 71


@pytest.fixture
def write(tmp_path):
    """Writes a configuration file and returns its path."""
    def file(text):
        path = tmp_path / "loopbridge.yaml"
        path.write_text(text)
        return str(path)
    return file


def ask(outside, port, host=Cable.CONTAINER):
    with connect(outside, host, port) as client:
        client.sendall(b"hello")
        return read_to_end(client)


@pytest.mark.parametrize("arguments", [
    [], ["nonsense"], ["8080:70000"], ["0"], ["8080:8000", "8080:9000"], ["--hold", "soon", "8080:8000"],
    ["--no-such-option", "8080:8000"], ["--workers", "0", "8080:8000"], ["--max-connections", "-1", "8080:8000"],
    ["--drain"]])
def test_wrong_usage(container, arguments):
    program = run_to_end(container, *arguments)
    assert program.code == USAGE
    assert program.noise and not program.log


@pytest.mark.parametrize("text, complaint", [
    ("routes:\n  - listen: 0.0.0.0:8080\n    upstreem: localhost:8000\n", "3:5"),
    ("routes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000', hold: 10}]\n", "1:"),
    ("drain: 5s\ndrain: 6s\nroutes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000'}]\n", "2:1"),
    ("routes: [\n", "2:"),
    ("just text\n", "1:1"),
    ("", "")])
def test_wrong_configuration(container, write, text, complaint):
    path = write(text)
    program = run_to_end(container, "--config", path)
    assert program.code == CONFIGURATION
    assert f"{path}:{complaint}" in "\n".join(program.noise) or not complaint, program.noise


def test_all_errors_at_once(container, write):
    program = run_to_end(container, "--config", write("workers: many\nlog: {format: xml}\nroutes: [{}]\n"))
    assert program.code == CONFIGURATION
    assert all(f":{line}:" in "\n".join(program.noise) for line in (1, 2, 3)), program.noise


def test_missing_file(container):
    assert run_to_end(container, "--config", "/nonexistent.yaml").code == CONFIGURATION


def test_file(container, outside, loopbridge, write):
    loopbridge("--config", write(
        "routes:\n"
        "  - listen: 0.0.0.0:8080\n"
        "    upstream: localhost:8000\n"
        "  - name: other\n"
        "    listen: ['[::]:8081', '0.0.0.0:8082']\n"
        "    upstream: 127.0.0.1:8001\n"
        "    hold: 0s\n"))
    with App(container, greets(b"one")), App(container, greets(b"two"), port=8001):
        assert ask(outside, 8080) == (b"one hello", None)
        assert ask(outside, 8081, Cable.CONTAINER_V6) == (b"two hello", None)
        assert ask(outside, 8082) == (b"two hello", None)
    with pytest.raises(ConnectionResetError):
        with connect(outside, Cable.CONTAINER, 8082) as client:
            client.recv(1)


def test_environment(container, outside, loopbridge):
    program = loopbridge(environment={"LOOPBRIDGE_ROUTES": "8080:8000,8081:8000", "LOOPBRIDGE_ACCESS_LOG": "false"})
    with App(container, greets(b"welcome")):
        assert ask(outside, 8080) == ask(outside, 8081) == (b"welcome hello", None)
    program.terminate()
    assert not program.closed()


def test_command_line_beats_environment_beats_file(write):
    path = write("defaults: {hold: 40s}\nroutes: [{listen: '0.0.0.0:8080', upstream: 'localhost:8000'}]\n")

    def effective(environment, *arguments):
        output = run(
            "env", *[f"{name}={value}" for name, value in environment.items()], PROGRAM, "check", "--config", path,
            *arguments)
        return next(line.split()[1] for line in output.splitlines() if line.strip().startswith("hold:"))

    assert effective({}) == "40s"
    assert effective({"LOOPBRIDGE_HOLD": "30s"}) == "30s"
    assert effective({"LOOPBRIDGE_HOLD": "30s"}, "--hold", "20s") == "20s"


def test_check_explains_where_each_value_came_from(write):
    path = write("routes: [{listen: '0.0.0.0:8080', upstream: '${APP}', hold: 40s}]\n")
    lines = run(
        "env", "APP=8000", "LOOPBRIDGE_DRAIN=1s", PROGRAM, "check", "--explain", "--config", path, "--idle-timeout", "2m"
    ).splitlines()
    origins = {line.split("#")[0].strip(" -"): line.split("# ")[1] for line in lines if "#" in line}
    assert origins["workers: auto"] == "default"
    assert origins["drain: 1s"] == "LOOPBRIDGE_DRAIN"
    assert origins["idle_timeout: 2m"] == "--idle-timeout"
    assert origins["hold: 40s"] == f"{path}:1:61"
    assert origins["upstream: localhost:8000"] == f"{path}:1:45 ${{APP}}"


def test_what_is_surely_not_meant_is_logged(container, loopbridge):
    program = loopbridge("127.0.0.1:8080:8000")
    assert program.messages("nobody outside can reach it")[0]["level"] == "warning"
    assert container.listens_on(8080)


def test_what_check_prints_is_a_configuration(container, outside, loopbridge, write):
    printed = run(PROGRAM, "check", "--hold", "3s", "8080:8000", "8001")
    assert run(PROGRAM, "check", "--config", write(printed)) == printed
    loopbridge("--config", write(printed))
    with App(container, greets(b"welcome")):
        assert ask(outside, 8080) == (b"welcome hello", None)


@pytest.mark.parametrize("route, port, host", [
    ("8080:8000", 8080, Cable.CONTAINER), ("8080:8000", 8080, Cable.CONTAINER_V6),
    ("[::]:8080:[::1]:8000", 8080, Cable.CONTAINER_V6),
    (f"{Cable.CONTAINER}:8080:8000", 8080, Cable.CONTAINER),
    (f"{Cable.CONTAINER}:8000:127.0.0.1:8000", 8000, Cable.CONTAINER),
    ("0.0.0.0:8000:127.0.0.1:8000", 8000, Cable.CONTAINER),
    ("8080:8000/tcp", 8080, Cable.CONTAINER)])
def test_route(container, outside, loopbridge, route, port, host):
    app = App(container, greets(b"welcome"), address="::1" if "::1" in route else "127.0.0.1")
    with app:
        loopbridge(route)
        assert ask(outside, port, host) == (b"welcome hello", None)


def test_one_address_only(container, outside, loopbridge):
    loopbridge(f"{Cable.CONTAINER}:8080:8000")
    with pytest.raises(ConnectionRefusedError):
        connect(outside, Cable.CONTAINER_V6, 8080)


def test_variables_of_a_kubernetes_service(container, loopbridge):
    """A Service called `loopbridge` puts these into every pod of its namespace; they are not settings."""
    loopbridge("8080:8000", environment={
        "LOOPBRIDGE_SERVICE_HOST": "10.0.0.11", "LOOPBRIDGE_SERVICE_PORT": "8080", "LOOPBRIDGE_SERVICE_PORT_HTTP": "8080",
        "LOOPBRIDGE_PORT": "tcp://10.0.0.11:8080", "LOOPBRIDGE_PORT_8080_TCP": "tcp://10.0.0.11:8080",
        "LOOPBRIDGE_PORT_8080_TCP_PROTO": "tcp", "LOOPBRIDGE_PORT_8080_TCP_PORT": "8080",
        "LOOPBRIDGE_PORT_8080_TCP_ADDR": "10.0.0.11"})
    assert container.listens_on(8080)
