"""Routes with the PROXY protocol."""

import pytest

from support.actors.proxy_protocol import TRUSTED
from support.configuration import ConfigurationFile, route


@pytest.fixture
def start(loopbridge, tmp_path):
    """Starts loopbridge with one route, whose `proxy_protocol` is the text given."""

    def start(proxy_protocol, upstream="localhost:8000", arguments=(), **settings):
        file = ConfigurationFile(
            tmp_path, route(8080, upstream, name="web", proxy_protocol="{ " + proxy_protocol + " }", **settings))
        return loopbridge("--config", file.path, *arguments)

    return start


@pytest.fixture
def accepting(start):
    """Starts loopbridge with a route that accepts headers from the outside's own addresses."""
    return lambda more="", **settings: start(f"accept: true, trusted_proxies: {TRUSTED}" + more, **settings)
