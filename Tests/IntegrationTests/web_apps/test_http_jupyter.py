"""Jupyter's server: code runs in a kernel that is reached through its WebSocket."""

import json
import uuid

import pytest

from support.actors.visitor import Visitor
from support.packages import PYTHON, needs
from support.programs.web_apps import http_route, start_web_app
from support.programs.websockets import open_websocket
from support.waiting import wait_until

pytestmark = [needs("jupyter_server", "ipykernel", "websockets"), pytest.mark.limit(120)]
TOKEN = "0123456789abcdef"


@pytest.fixture
def jupyter(container, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(home), "JUPYTER_RUNTIME_DIR": str(home / "runtime"), "LC_ALL": "C.UTF-8"}
    with start_web_app(
            container, PYTHON, "-B", "-m", "jupyter_server", "--no-browser", "--allow-root", "--ip=localhost",
            "--port=8000", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}", cwd=home,
            env=environment) as server:
        yield server


def channels(outside, kernel, **headers):
    """The kernel's WebSocket."""
    origin = headers.pop("Origin", None)
    return open_websocket(
        outside, f"/api/kernels/{kernel}/channels?session_id={uuid.uuid4().hex}", origin=origin,
        additional_headers=headers)


def execute(socket, code):
    """Has the kernel run code; returns all that it wrote, once it is done."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": uuid.uuid4().hex,
              "date": "2024-01-01T00:00:00Z", "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False,
               "stop_on_error": True}
    socket.send(json.dumps({"channel": "shell", "header": header, "parent_header": {}, "metadata": {},
                            "content": content, "buffers": []}))
    written = ""
    while True:
        message = json.loads(socket.recv(60))
        if message["parent_header"].get("msg_id") != number:
            continue
        if message["msg_type"] == "stream":
            written += message["content"]["text"]
        elif message["msg_type"] == "error":
            raise AssertionError(message["content"]["evalue"])
        elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return written


def test_code_runs(outside, jupyter, loopbridge, tmp_path):
    """For programs, which show the token; and for browsers, which have a cookie and tell where their page is from."""
    from websockets.exceptions import InvalidStatus
    loopbridge(*http_route(tmp_path, host="upstream"))
    loopbridge(*http_route(tmp_path, listen=8081, host="preserve"))
    with Visitor(outside, port=8081) as stranger:
        assert stranger.get(f"/api/kernels?token={TOKEN}").status == 403
    wait_until(lambda: "Blocking request with non-local 'Host'" in jupyter.output, "the server says so")

    authorization = {"Authorization": f"token {TOKEN}"}
    with Visitor(outside) as program:
        assert program.get("/api/kernels").status == 403
        answer = program.request("POST", "/api/kernels", body=b"{}", headers=authorization)
        assert answer.status == 201, answer.text
        kernel = answer.json()["id"]
        assert answer.headers["Location"] == f"/api/kernels/{kernel}"

        with channels(outside, kernel, **authorization) as socket:
            assert execute(socket, "print(6 * 7)") == "42\n"
            # As much as it may write in a second.
            assert execute(socket, "print('x' * 800_000)") == "x" * 800_000 + "\n"

        with Visitor(outside) as browser:
            browser.get(f"/tree?token={TOKEN}")
            cookies = browser.cookies
            assert any(name.startswith("username-localhost") for name in cookies), cookies
            header = "; ".join(f"{name}={value}" for name, value in cookies.items())
            with channels(outside, kernel, Cookie=header, Origin=browser.origin) as socket:
                assert execute(socket, "print('from a page')") == "from a page\n"
            with pytest.raises(InvalidStatus) as failure:
                with channels(outside, kernel, Cookie=header, Origin="http://elsewhere.example"):
                    pass
            assert failure.value.response.status_code == 403

        answer = program.request("DELETE", f"/api/kernels/{kernel}", headers=authorization)
        assert (answer.status, answer.body) == (204, b"")
        assert program.request("GET", f"/api/kernels/{kernel}", headers=authorization).status == 404
        assert program.connection.opened == 1
