"""A development server like Vite's: on ::1 only, picky about Host, with a WebSocket that pushes updates."""

import json

import pytest

from support.actors.visitor import Visitor
from support.namespaces import Cable
from support.packages import needs
from support.programs.vite_like import NODE, make_project, start_vite_like
from support.programs.web_apps import http_route
from support.programs.websockets import open_websocket

pytestmark = [pytest.mark.skipif(NODE is None, reason="there is no node here"), needs("websockets")]


@pytest.fixture
def folder(tmp_path):
    return make_project(tmp_path / "project")


@pytest.fixture
def vite(container, folder):
    with start_vite_like(container, folder) as server:
        assert container.listening_addresses(8000) == {"0" * 24 + "01000000"}, "it listens on ::1 only"
        yield server


def token_of(visitor):
    """The token that a page's own scripts know."""
    client = visitor.get("/@vite/client").text
    return client.partition("token=")[2].partition("'")[0]


def test_its_own_name_for_the_place_is_refused(outside, vite, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="preserve"))
    with Visitor(outside) as visitor:
        answer = visitor.get("/")
    assert answer.status == 403
    assert f'This host ("{Cable.CONTAINER}:8080") is not allowed' in answer.text


def test_pages_come_when_it_is_called_localhost(outside, vite, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        assert 'src="/@vite/client"' in visitor.get("/").text
        module = visitor.get("/words.js")
        assert module.text == "export const words = 'before'\n"
        again = visitor.request("GET", "/words.js", headers={"If-None-Match": module.headers["Etag"]})
        assert (again.status, again.body) == (304, b"")
        assert visitor.get("/nothing.js").status == 404
        assert visitor.connection.opened == 1


@pytest.mark.parametrize("address", [Cable.CONTAINER, Cable.CONTAINER_V6])
def test_an_update_is_pushed(outside, vite, folder, loopbridge, tmp_path, address):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside, address) as visitor:
        path = f"/?token={token_of(visitor)}"
        with open_websocket(outside, path, address, origin=visitor.origin, subprotocols=["vite-hmr"]) as socket:
            assert socket.subprotocol == "vite-hmr"
            assert json.loads(socket.recv(10)) == {"type": "connected"}
            (folder / "words.js").write_text("export const words = 'after'\n")
            update = json.loads(socket.recv(10))
            assert (update["type"], update["updates"][0]["path"]) == ("update", "/words.js")
            module = visitor.get(f"/words.js?t={update['updates'][0]['timestamp']}")
            assert module.text == "export const words = 'after'\n"
            assert socket.ping("still there?").wait(10)


def test_a_websocket_that_the_app_refuses(outside, vite, loopbridge, tmp_path):
    from websockets.exceptions import InvalidStatus
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside) as visitor:
        # Another page's script, which does not know the token.
        for origin, path in [(visitor.origin, "/?token=guessed"), ("http://elsewhere.example", "/")]:
            with pytest.raises(InvalidStatus) as failure:
                with open_websocket(outside, path, origin=origin, subprotocols=["vite-hmr"]):
                    pass
            assert failure.value.response.status_code == 400
        # A client that is no browser sends no Origin, and needs no token.
        with open_websocket(outside, "/", subprotocols=["vite-hmr"]) as socket:
            assert json.loads(socket.recv(10)) == {"type": "connected"}
