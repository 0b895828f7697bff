"""Every port of a container, from outside and from inside."""

import errno
import selectors
import socket

from support.namespaces import Cable
from support.waiting import wait_until

_LISTENING = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")
# So many connections are under way at once.
_AT_ONCE = 500


def open_ports(outside, host=Cable.CONTAINER, ports=range(1, 65536)):
    """Those of all ports at which somebody accepts connections from outside."""
    found = set()
    waiting = iter(ports)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with outside.entered(), selectors.EpollSelector() as selector:
        def start(port):
            client = socket.socket(family)
            client.setblocking(False)
            result = client.connect_ex((host, port))
            if result == errno.EINPROGRESS:
                selector.register(client, selectors.EVENT_WRITE, port)
                return
            finish(client, port, result)

        def finish(client, port, result):
            client.close()
            if result == 0:
                found.add(port)
            else:
                assert result == errno.ECONNREFUSED, f"port {port}: {errno.errorcode.get(result, result)}"

        is_over = False
        while not is_over or selector.get_map():
            while not is_over and len(selector.get_map()) < _AT_ONCE:
                port = next(waiting, None)
                is_over = port is None
                if not is_over:
                    start(port)
            for key, _ in selector.select(10):
                selector.unregister(key.fileobj)
                finish(key.fileobj, key.data, key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    return found


def loopback_ports(container):
    """The ports inside at which somebody listens on localhost."""
    return {port for address, port, _, state in container.connections() if state == _LISTENING and address in _LOOPBACK}


def wait_until_decided(container, program, *ports, limit=30.0):
    """Waits until the program has said of every listener on localhost that it is bridged or why not, these among them.

    Returns the ports that it has left out.
    """
    left_out = set()

    def is_decided():
        left_out.clear()
        left_out.update(line["port"] for line in program.messages("not bridging port"))
        there = loopback_ports(container)
        return there >= set(ports) and there <= left_out | set(program.bridged())

    wait_until(is_decided, "everything that listens is bridged or left out", limit, interval=0.05)
    return left_out
