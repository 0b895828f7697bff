"""connect: first_byte. The app meets a client once that has spoken; silent ones cost it nothing."""

import os
import shutil
import signal
import subprocess
import threading

import pytest

from support.actors.restartable import RestartableApp
from support.apps import App, echo
from support.namespaces import Cable
from support.sockets import connect, read_exactly, read_to_end, reset
from support.waiting import stays_true

FIRST_BYTE = ["--connect", "first_byte"]
ONE_BY_ONE = [*FIRST_BYTE, "--upstream-connections", "1", "--queue-timeout", "30s"]
PRECONNECTS, BROWSERS, CONNECTIONS_OF_A_BROWSER = 50, 20, 6
CHROMIUM = shutil.which("chromium")


def get(outside, path="/", timeout=30):
    """A page as a browser asks for it: the answer's bytes and how it ended."""
    with connect(outside, Cable.CONTAINER, 8080, timeout=timeout) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: app\r\n\r\n".encode())
        return read_to_end(client)


def test_silent_clients_cost_the_app_nothing(container, outside, loopbridge):
    program = loopbridge(*FIRST_BYTE, "8080:8000")
    with App(container, echo) as app:
        clients = [connect(outside, Cable.CONTAINER, 8080) for _ in range(3)]
        stays_true(lambda: app.accepted == 0, "the app was called for a silent client", 0.5)
        clients[1].sendall(b"hello")
        assert read_exactly(clients[1], 5) == b"hello"
        assert app.accepted == 1
        # One ends without a word, one is reset, one says something and finishes sending at once.
        clients[0].close()
        reset(clients[2])
        with connect(outside, Cable.CONTAINER, 8080) as last:
            last.sendall(b"last")
            last.shutdown(1)
            assert read_to_end(last) == (b"last", None)
        clients[1].close()
        program.wait_for_closed(4)
        assert app.accepted == 2
    assert sorted(line["end"] for line in program.closed()) == [
        "client: Connection reset by peer", "finished", "finished", "finished"]


def test_silence_has_its_end(container, outside, loopbridge):
    program = loopbridge(*FIRST_BYTE, "--idle-timeout", "500ms", "8080:8000")
    with App(container, echo) as app, connect(outside, Cable.CONTAINER, 8080) as client:
        _, error = read_to_end(client)
        assert isinstance(error, ConnectionResetError)
        assert program.wait_for_closed()["end"] == "idle timeout"
        assert app.accepted == 0


def test_a_drain_does_not_wait_for_the_silent(container, outside, loopbridge):
    program = loopbridge(*FIRST_BYTE, "--drain", "1m", "8080:8000")
    with App(container, echo) as app, connect(outside, Cable.CONTAINER, 8080) as silent:
        with connect(outside, Cable.CONTAINER, 8080) as client:
            client.sendall(b"hello")
            assert read_exactly(client, 5) == b"hello"
            program.signal(signal.SIGTERM)
            _, error = read_to_end(silent)
            assert isinstance(error, ConnectionResetError)
            # A client that has begun may finish.
            client.sendall(b"again")
            assert read_exactly(client, 5) == b"again"
        assert program.wait(10) == 0
        assert app.accepted == 1
    assert sorted(line["end"] for line in program.closed()) == ["finished", "stopped"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_single_threaded_server_behind_browsers(container, outside, loopbridge, tmp_path, workers):
    """50 silent preconnects, and the requests of 20 browsers, six at a time each: all are answered."""
    (tmp_path / "index.html").write_text("it works")
    loopbridge("--workers", workers, *ONE_BY_ONE, "8080:8000")
    with RestartableApp.web_server(container, tmp_path):
        silent = [connect(outside, Cable.CONTAINER, 8080) for _ in range(PRECONNECTS)]
        answers = []

        def browse():
            answers.append(get(outside))

        threads = [threading.Thread(target=browse) for _ in range(BROWSERS * CONNECTIONS_OF_A_BROWSER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(40)
        assert len(answers) == len(threads)
        for answer, error in answers:
            assert answer.startswith(b"HTTP/1.0 200") and answer.endswith(b"it works") and error is None
        for client in silent:
            client.close()


def test_the_same_without_the_settings_hangs(container, outside, loopbridge, tmp_path):
    (tmp_path / "index.html").write_text("it works")
    program = loopbridge("8080:8000")
    with RestartableApp.web_server(container, tmp_path):
        silent = [connect(outside, Cable.CONTAINER, 8080) for _ in range(PRECONNECTS)]
        answer, error = get(outside, timeout=3)
        assert answer == b"" and isinstance(error, TimeoutError), "the premise of these settings has gone"
        for client in silent:
            client.close()
    program.terminate()


PAGE = """<!doctype html><title>page</title><body>%s<script>
onload = () => { document.body.id = "loaded-" + [...document.images].filter(i => i.naturalWidth > 0).length }
</script></body>"""
IMAGE = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
IMAGES = 60


@pytest.mark.limit(120)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_a_real_browser_loads_a_page_of_many_parts(container, outside, loopbridge, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    for number in range(IMAGES):
        (folder / f"{number}.svg").write_text(IMAGE)
    (folder / "index.html").write_text(PAGE % "".join(f'<img src="{number}.svg">' for number in range(IMAGES)))
    loopbridge(*ONE_BY_ONE, "8080:8000")
    with RestartableApp.web_server(container, folder):
        browser = subprocess.run(
            outside.command(
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", f"--user-data-dir={tmp_path}/profile",
                "--timeout=60000", "--dump-dom", f"http://{Cable.CONTAINER}:8080/"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90,
            env={**os.environ, "HOME": str(tmp_path)})
    assert f"loaded-{IMAGES}" in browser.stdout, browser.stdout[-500:] + browser.stderr[-1500:]
