"""WebSocket clients from inside a namespace: those of PyPI's websockets, which `packages` makes importable."""

from support.namespaces import Cable
import support.packages  # noqa: F401
from support.sockets import connect


def open_websocket(namespace, path="/", address=Cable.CONTAINER, port=8080, **options):
    """Opens a WebSocket; the options are those of websockets.sync.client.connect."""
    from websockets.sync.client import connect as open_on
    name = f"[{address}]" if ":" in address else address
    return open_on(f"ws://{name}:{port}{path}", sock=connect(namespace, address, port), **{
        # Compression and pings of its own only where a test asks for them.
        "compression": None, "ping_interval": None, "max_size": None, "open_timeout": 20, "proxy": None, **options})
