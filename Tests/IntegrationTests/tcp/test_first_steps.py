"""A new user's first steps: help, the demo, and mistakes."""

import subprocess

import pytest

from support.namespaces import Cable
from support.settings import PROGRAM


def run(*arguments, environment=None, container=None):
    """Runs the program to its end; returns its exit code and what it wrote to each stream."""
    command = [PROGRAM, *arguments]
    result = subprocess.run(
        container.command(*command) if container else command, capture_output=True, text=True, timeout=30,
        stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin", "SWIFT_BACKTRACE": "interactive=no", **(environment or {})})
    return result.returncode, result.stdout, result.stderr


def test_help_has_examples():
    code, out, _ = run("--help")
    assert code == 0
    for text in ("loopbridge 8080:8000", "serve", "check", "demo", "--generate-completion-script"):
        assert text in out
    code, out, _ = run("serve", "--help")
    assert code == 0 and "LOOPBRIDGE_HOLD" in out and "--max-connections" in out


def test_version():
    assert run("--version")[0] == 0
    assert run("--version")[1].startswith("loopbridge ")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell):
    code, out, _ = run("--generate-completion-script", shell)
    assert code == 0 and "max-connections" in out


@pytest.mark.parametrize(
    "arguments, explanation",
    [
        ([], "no route is given"),
        (["--hodl", "1s", "8000"], "Did you mean '--hold'?"),
        (["80800:8000"], "port 80800 is not between 1 and 65535"),
        (["--hold", "5", "8000"], "'5' without a unit"),
        (["--workers", "0", "8000"], "--workers"),
        (["8080:8000/sctp"], "expected tcp, http or udp"),
        (["127.0.0.1:8000:127.0.0.1:8000"], "leads back to this route"),
        (["bogus"], "expected a port, found 'bogus'"),
    ],
)
def test_wrong_usage_is_64_and_explained(arguments, explanation):
    code, out, err = run(*arguments)
    assert (code, out) == (64, "")
    assert explanation in err


@pytest.mark.parametrize(
    "text, explanation",
    [
        ("routes:\n  - listen: 8080\n    upstream: 8000\n    holt: 1s\n", ":4:5: error: unknown key 'holt' in a route; did you mean 'hold'?"),
        ("routes: [\n", "config.yaml:"),
        ("\0", "config.yaml:1:1: "),
    ],
)
def test_wrong_file_is_78_and_explained(tmp_path, text, explanation):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    code, out, err = run("--config", str(path))
    assert (code, out) == (78, "")
    assert explanation in err


def test_unreadable_files_are_78_and_explained(tmp_path):
    assert run("--config", str(tmp_path / "nowhere"))[::2] == (78, f"loopbridge: error: {tmp_path}/nowhere: no such file\n")
    assert "is a directory" in run("--config", str(tmp_path))[2]


def test_wrong_environment_is_78():
    code, _, err = run("8000", environment={"LOOPBRIDGE_HOLT": "1s"})
    assert code == 78 and "LOOPBRIDGE_HOLD" in err


def test_demo_shows_the_problem_and_the_solution(container, outside):
    code, out, err = run("demo", container=container)
    assert (code, err) == (0, "")
    refused, bridged = out.index("Connection refused"), out.index("Hello from an app that listens only on 127.0.0.1.")
    assert refused < out.index("$ loopbridge 8080:8000") < bridged
    assert f"http://{Cable.CONTAINER}:8000/" in out and f"http://{Cable.CONTAINER}:8080/" in out


def test_demo_says_when_its_port_is_taken(container, outside):
    with container.socket() as holder:
        holder.bind(("127.0.0.1", 8000))
        holder.listen()
        code, _, err = run("demo", container=container)
    assert code != 0 and "--app-port" in err
