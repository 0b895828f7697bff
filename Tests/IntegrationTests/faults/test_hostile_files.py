"""Files that are made to hurt: a clear error, in bounded time and memory."""

import os
import resource
import subprocess

import pytest

from support.settings import IS_SANITIZED, PROGRAM

MIB = 1 << 20
CONFIGURATION = 78


def check(path, code=CONFIGURATION):
    """Runs `check` on a file within bounds that a sane file is far away from; returns what it says."""
    def bound():
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        # The sanitizers reserve terabytes.
        if not IS_SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (512 * MIB, 512 * MIB))

    result = subprocess.run(
        [PROGRAM, "check", "--config", path], capture_output=True, text=True, timeout=50, preexec_fn=bound,
        stdin=subprocess.DEVNULL)
    assert result.returncode == code, result.stderr[-2000:]
    if code == 0:
        return result.stdout
    assert result.stdout == ""
    # Nobody reads more, and no log takes more.
    assert len(result.stderr) < 100_000
    return result.stderr


@pytest.fixture
def write(tmp_path):
    def file(text):
        path = tmp_path / "config.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)
    return file


def test_100_mib(write):
    path = write("drain: 5s\n")
    os.truncate(path, 100 * MIB)
    assert check(path) == f"loopbridge: error: {path}: is larger than 1048576 bytes\n"


def test_without_end():
    assert check("/dev/zero") == "loopbridge: error: /dev/zero: is larger than 1048576 bytes\n"


def test_fifo_that_nobody_writes_to(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    assert "no route is given" in check(str(path))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{", "{[", "&a [", "!a "])
def test_deep_nesting(write, opening):
    assert ": error: " in check(write(opening * (MIB // len(opening))))


@pytest.mark.parametrize("item", ["a,", "[],", "{},", "a: b,", "'',", "*a,", "? a,", ",", ": ,", "${A},"])
def test_wide(write, item):
    assert ": error: " in check(write("routes: [" + item * ((MIB - 20) // len(item)) + "]"))


@pytest.mark.parametrize("line", ["x{}: 1\n", "'y{}':\n", "? z{}\n", "drain: {}\n", "[{}]: 1\n", "#{}\n", "- {}\n"])
def test_many_lines(write, line):
    text = "".join(line.format(number) for number in range((MIB - 100) // (len(line) + 6)))
    assert ": error: " in check(write(text))


@pytest.mark.parametrize("break_", ["\n", "\r", "\u2028", " \n"])
def test_empty_lines(write, break_):
    assert "no route is given" in check(write(break_ * (MIB // len(break_.encode()))))


def test_one_long_word(write):
    assert "unknown key" in check(write(f"{'k' * 900}: {'v' * (MIB - 2000)}\n"))
    assert ": error: " in check(write("k" * (MIB - 1)))
    assert "unknown key" in check(write(f"? {'k' * (MIB - 100)}\n: v\n"))


def test_many_routes_that_clash(write):
    routes = "".join(f"- {{listen: 8080, upstream: 8000, name: n{number % 7}}}\n" for number in range(9_000))
    assert "is listened on twice" in check(write("routes:\n" + routes))


def test_many_routes_with_defaults(write):
    routes = "".join(f"- {{listen: {10_000 + number}, upstream: 80}}\n" for number in range(8_000))
    text = check(write("defaults: { hold: 3s, idle_timeout: 5s }\nroutes:\n" + routes), code=0)
    assert text.count("upstream: localhost:80\n") == 8_000


def test_many_routes_in_circles(write):
    routes = "".join(
        f"- {{listen: {10_000 + number}, upstream: {10_000 + (number + 1) % 8_000}}}\n" for number in range(8_000))
    assert "leads back to this route" in check(write("routes:\n" + routes))


def test_variables_of_great_length(write):
    path = write("drain: " + "${LONG}" * 100_000 + "\n")
    os.environ["LONG"] = "x" * 100_000
    try:
        assert "longer than 4096 bytes with its variables" in check(path)
    finally:
        del os.environ["LONG"]


def test_characters_of_many_scalars(write):
    assert "unknown key" in check(write("e" + "\u0301" * 300 + ": 1\n"))
