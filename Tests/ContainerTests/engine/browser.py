"""A browser on the host: what it shows for a URL."""

from support.sockets import connect, read_to_end

WORKS = "works"
EMPTY_RESPONSE = "ERR_EMPTY_RESPONSE"
REFUSED = "ERR_CONNECTION_REFUSED"


def visit(host, name, port=8000):
    """Asks for the front page as a browser does; returns the answer's bytes.

    host: the namespace from which to ask.
    """
    with connect(host, name, port, timeout=20) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        answer, _ = read_to_end(client)
    return answer


def shows(host, name, port=8000):
    """WORKS, EMPTY_RESPONSE, REFUSED, or the beginning of another answer.

    Docker's proxy takes the connection on the host before it knows whether anybody listens inside, and drops it
    when nobody does: with an end or with a reset, whichever the kernel makes of it. A browser gets no answer.
    """
    try:
        answer = visit(host, name, port)
    except ConnectionRefusedError:
        return REFUSED
    except ConnectionResetError:
        return EMPTY_RESPONSE
    return shows_answer(answer)


def shows_answer(answer):
    """Returns what a browser shows for a response's bytes."""
    if not answer:
        return EMPTY_RESPONSE
    head = answer.partition(b"\r\n")[0].decode(errors="replace")
    return WORKS if head.startswith(("HTTP/1.1 200", "HTTP/1.0 200")) else head
