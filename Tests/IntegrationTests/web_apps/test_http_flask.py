"""Flask's development server: absolute redirects, cookies with a domain, an answer that is streamed, an upload."""

import hashlib
import json
import random
import shutil
import subprocess

import pytest

from support.actors.visitor import Connection, Visitor
from support.namespaces import Cable
from support.packages import PYTHON, needs
from support.programs.web_apps import APPS, http_route, start_web_app

pytestmark = needs("flask")


# Without threads it speaks HTTP/1.0.
BOTH = pytest.mark.parametrize("flask", ["--with-threads", "--without-threads"], indirect=True)


@pytest.fixture
def flask(container, request):
    threads = getattr(request, "param", "--with-threads")
    with start_web_app(
            container, PYTHON, "-B", "-m", "flask", "--app", "flask_app", "run", "--port", "8000", threads, cwd=APPS):
        yield threads


@BOTH
def test_redirects_and_cookies_name_the_place_that_the_client_knows(outside, flask, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        answer = visitor.get("/old", follow=False)
        assert (answer.status, answer.headers["Location"]) == (301, visitor.origin + "/")
        assert visitor.get("/old").text == "home"
        assert visitor.get("/elsewhere", follow=False).headers["Location"] == "https://example.com/landing"

        answer = visitor.get("/cookie")
        assert "localhost" not in answer.headers["Set-Cookie"]
        assert "HttpOnly" in answer.headers["Set-Cookie"]
        assert visitor.get("/who").json()["Cookie"] == "flavour=ginger"


def test_with_host_preserved_the_app_names_the_place_itself(outside, flask, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="preserve"))
    with Visitor(outside) as visitor:
        assert visitor.get("/old", follow=False).headers["Location"] == visitor.origin + "/"
        # Nobody rewrites what names no place that we know.
        assert "Domain=localhost" in visitor.get("/cookie").headers["Set-Cookie"]
        assert visitor.cookies == {}


def test_the_app_learns_who_asks(outside, flask, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        seen = visitor.request("GET", "/who", headers={
            "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "bank.example", "X-Forwarded-Proto": "https",
            "Forwarded": "for=203.0.113.9;proto=https"}).json()
    assert seen["Host"] == "localhost:8000"
    assert seen["X-Forwarded-For"] == Cable.OUTSIDE
    assert seen["X-Forwarded-Proto"] == "http"
    assert seen["X-Forwarded-Host"] == f"{Cable.CONTAINER}:8080"
    assert "203.0.113.9" not in seen["Forwarded"] and Cable.OUTSIDE in seen["Forwarded"]


def test_a_streamed_answer_comes_as_it_is_made(outside, flask, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    streamed = Connection(outside, Cable.CONTAINER, 8080)
    streamed.request("GET", "/stream")
    answer = streamed.getresponse()
    # The app makes the second line only when it is told to, after this one has been read.
    assert answer.readline() == b"first\n"
    with Visitor(outside) as visitor:
        assert visitor.get("/release").text == "released"
    assert answer.read() == b"second\n"
    # The answer was whole, and the connection is good for more.
    streamed.request("GET", "/")
    assert streamed.getresponse().read() == b"home"
    assert streamed.opened == 1
    streamed.close()


@BOTH
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_uploads_a_file(outside, flask, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    contents = random.Random(7).randbytes(5_000_001)
    (tmp_path / "file").write_bytes(contents)
    # Above 1 MiB curl asks with Expect: 100-continue first.
    ways = [[], ["--http1.0"], ["-H", "Expect:"]]
    if flask == "--with-threads":
        ways.append(["-H", "Transfer-Encoding: chunked"])
    for way in ways:
        said = subprocess.run(
            outside.command(
                "curl", "-sS", "--max-time", "30", "-F", f"file=@{tmp_path}/file;filename=köder.bin",
                "-F", "note=two parts", *way, f"http://{Cable.CONTAINER}:8080/upload"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=40)
        assert said.returncode == 0, f"{way}: {said.stderr}"
        assert json.loads(said.stdout) == {
            "name": "köder.bin", "size": len(contents), "sha256": hashlib.sha256(contents).hexdigest(),
            "note": "two parts"}, way
