"""PHP's built-in server: one request at a time, and every connection ends with its answer."""

import hashlib
import json
import shutil
import subprocess
import threading

import pytest

from support.actors.visitor import Visitor
from support.namespaces import Cable
from support.programs.web_apps import APPS, http_route, start_web_app
from support.sockets import connect

PHP = shutil.which("php")
pytestmark = pytest.mark.skipif(PHP is None, reason="there is no php here")


@pytest.fixture
def php(container, tmp_path):
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    with start_web_app(
            container, PHP, "-d", f"session.save_path={sessions}", "-S", "127.0.0.1:8000", "index.php",
            cwd=APPS / "php") as server:
        yield server


def test_sessions_and_redirects(outside, php, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        for number in range(1, 21):
            assert visitor.get("/").text == f"visit {number}"
        assert visitor.get("/old").url == visitor.origin + "/new"
        assert visitor.get("/favicon.ico").status == 404


def test_an_answer_that_ends_with_the_connection(outside, php, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        assert visitor.get("/endless").body == b"".join(b"%d\n" % line for line in range(200_000))
        assert visitor.get("/new").text == "new"


def test_many_clients_and_many_silent_ones(outside, php, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    # A browser opens such connections in advance; the app must not meet them.
    silent = [connect(outside, Cable.CONTAINER, 8080) for _ in range(20)]
    answers, lock = {}, threading.Lock()

    def visit(number):
        with Visitor(outside) as visitor:
            answer = visitor.get(f"/slow?number={number}")
            with lock:
                answers[number] = (answer.status, answer.text)

    threads = [threading.Thread(target=visit, args=(number,), daemon=True) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == {number: (200, f"slow {number}") for number in range(40)}
    for client in silent:
        client.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_uploads_a_file(outside, php, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    contents = bytes(range(256)) * 4096
    (tmp_path / "file").write_bytes(contents)
    said = subprocess.run(
        outside.command(
            "curl", "-sS", "--max-time", "30", "-F", f"file=@{tmp_path}/file", f"http://{Cable.CONTAINER}:8080/upload"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40)
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout) == {"name": "file", "sha256": hashlib.sha256(contents).hexdigest()}
