"""The HTTP parsers against llhttp, Node's (PyPI's llhttp), at its strictest: whatever ours accept, llhttp accepts with the
same meaning. The other way round nothing is asked: ours are stricter. What llhttp refuses all the same is listed here,
each with its reason."""

import os
import pathlib
import random
import subprocess
import sys

import pytest

from support.cases import read_cases
from support.settings import REPOSITORY

# scripts/install-packages puts it there.
sys.path += [str(path) for path in REPOSITORY.glob(".build-python/lib/python3*/site-packages")]
llhttp = pytest.importorskip("llhttp")

PROBE = pathlib.Path(os.environ.get("HTTP1_PROBE", REPOSITORY / ".build/debug/HTTP1Probe"))
COUNT = 6000


def recorder(base):
    """A parser of llhttp's that keeps what it is told."""

    class Recorder(base):
        def __init__(self):
            super().__init__()
            self.target, self.reason, self.body = b"", b"", b""
            self.fields = []
            self.heads = self.messages = 0
            self.length = self.keeps = self.needs_end = None

        def on_url(self, data):
            self.target += bytes(data)

        def on_status(self, data):
            self.reason += bytes(data)

        def on_header_field(self, data):
            self.fields.append([bytes(data), b""])

        def on_header_value(self, data):
            self.fields[-1][1] += bytes(data)

        def on_headers_complete(self):
            self.heads += 1
            self.length, self.keeps, self.needs_end = (
                self.content_length, self.should_keep_alive, self.message_needs_eof)
            return 0

        def on_body(self, data):
            self.body += bytes(data)

        def on_message_complete(self):
            self.messages += 1

        def read(self, data):
            """Whether the bytes are valid so far; the error's name if not."""
            try:
                self.execute(data)
            except llhttp.Error as error:
                return type(error).__name__
            return None

        def trimmed_fields(self):
            # It hands out blanks behind a value, which RFC 9112 section 5 says are not part of it.
            return [(name, value.rstrip(b" \t")) for name, value in self.fields]

    return Recorder


Request, Response = recorder(llhttp.Request), recorder(llhttp.Response)


def ask(kind, examples):
    """Returns our parsers' verdict on each example."""
    text = "".join(f"{kind} {example.hex()}\n" for example in examples)
    result = subprocess.run([PROBE], input=text, capture_output=True, text=True, check=True, timeout=300)
    answers = [line.split(" ") for line in result.stdout.splitlines()]
    assert len(answers) == len(examples)
    assert not any(answer[0] == "misunderstood" for answer in answers)
    return answers


def text(word):
    return bytes.fromhex(word[1:])


def pairs(words):
    return [(text(name), text(value)) for name, value in zip(words[::2], words[1::2])]


# --- Examples ---


NAMES = [
    b"Content-Length", b"content-length", b"Transfer-Encoding", b"TRANSFER-ENCODING", b"Connection", b"Host", b"Upgrade",
    b"Expect", b"X-A", b"Cookie", b"Keep-Alive", b"Proxy-Connection", b"Transfer_Encoding", b"x!#$%&'*+-.^_`|~9"]
VALUES = [
    b"5", b"0", b"05", b"18446744073709551616", b"9223372036854775807", b"5, 5", b"+5", b"chunked", b"Chunked",
    b"gzip, chunked", b"chunked, chunked", b"identity", b"close", b"keep-alive", b"Keep-Alive, close", b"upgrade",
    b"websocket", b"100-continue", b"a", b"", b"a.example:8080", b"\xff\x80", b"a\tb", b"a b  c", b"\"q\\\"\"", b"close,",
    b" , close", b"keep-alive, Upgrade", b"h2c"]
NOISE = [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b",", b";", b"\x0b", b"\x7f", b"\x80", b"\xff", b"0", b"_", b"\""]


def mutated(random, data):
    """The data with up to three accidents."""
    for _ in range(random.choice([0, 0, 0, 1, 1, 2, 3])):
        place = random.randrange(len(data) + 1)
        kind = random.randrange(4)
        if kind == 0:
            data = data[:place] + random.choice(NOISE) + data[place:]
        elif kind == 1:
            data = data[:place] + data[place + 1:]
        elif kind == 2:
            data = data[:place] + bytes([random.randrange(256)]) + data[place + 1:]
        else:
            end = min(len(data), place + random.randrange(12))
            data = data[:end] + data[place:end] + data[end:]
    return data


def fields(random):
    lines = b""
    for _ in range(random.randrange(5)):
        blank = random.choice([b" ", b" ", b" ", b"", b"\t", b"  "])
        lines += random.choice(NAMES) + b":" + blank + random.choice(VALUES) + random.choice([b"", b"", b" "]) + b"\r\n"
    return lines


def requests(random):
    methods = [b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"PATCH", b"DELETE", b"TRACE", b"CONNECT", b"FROB"]
    targets = [b"/", b"/a?b=c", b"*", b"http://a/", b"https://a.b:80?c", b"//a", b"/%20{}|\"<>^`\\[]", b"a:80"]
    versions = [b"1.1"] * 6 + [b"1.0"] * 3 + [b"2.0", b"0.9"]
    for _ in range(COUNT):
        line = b"%s %s HTTP/%s\r\n" % (random.choice(methods), random.choice(targets), random.choice(versions))
        host = random.choice([b"Host: a\r\n"] * 5 + [b"", b"hOST:\t[::1]:80 \r\n"])
        yield mutated(random, line + host + fields(random) + b"\r\n")


def responses(random):
    for _ in range(COUNT):
        line = b"HTTP/1.%d %s%s\r\n" % (
            random.choice([1, 1, 1, 0]),
            random.choice([b"200", b"204", b"304", b"100", b"103", b"404", b"999", b"500"]),
            random.choice([b" OK", b" ", b"", b" Not Found", b" \xff"]))
        yield mutated(random, line + fields(random) + b"\r\n")


def chunked_bodies(random):
    extensions = [b""] * 6 + [b";a", b";a=b", b";a=\"b;c\"", b";a;b=c", b"; a", b" ", b";a=\"\\\"\"", b";a=\"\t\xff\""]
    for _ in range(COUNT):
        body = b""
        for _ in range(random.randrange(4)):
            size = random.choice([1, 2, 5, 10, 17])
            number = random.choice([b"%x", b"%X", b"%03x"]) % size
            body += number + random.choice(extensions) + b"\r\n" + b"x" * size + b"\r\n"
        body += b"0" + random.choice(extensions) + b"\r\n"
        body += random.choice([b"", b"", b"X: 1\r\n", b"X: 1\r\nContent-Length: 5\r\n", b"Content_Length: 1\r\n"]) + b"\r\n"
        yield mutated(random, body)


# --- Where the two differ ---


def is_known_refusal(error):
    """Whether llhttp may refuse a head that we accept."""
    # It knows a list of methods; RFC 9110 section 9.1 lets anybody define others, and we pass them on.
    return error == "InvalidMethodError"


def keeps_for_known_reason(version, names_and_values):
    """Whether llhttp may be of another opinion about the connection's being kept."""
    values = {}
    for name, value in names_and_values:
        values[name.lower()] = values.get(name.lower(), b"") + b"," + value.lower()
    # It takes Proxy-Connection for Connection, which RFC 9110 section 7.6.1 only has removed.
    if b"proxy-connection" in values:
        return True
    # It lets keep-alive win over close in HTTP/1.0; RFC 9112 section 9.3 looks for close first.
    return version == "1.0" and b"close" in values.get(b"connection", b"")


# --- The tests ---


def test_whatever_request_is_accepted_means_the_same_to_llhttp():
    examples = [case.bytes for case in read_cases("requests.cases").values()] + list(requests(random.Random(9112)))
    accepted = 0
    for example, answer in zip(examples, ask("request", examples)):
        if answer[0] != "complete":
            continue
        head = example[:int(answer[1])]
        parser = Request()
        error = parser.read(head)
        if error:
            assert is_known_refusal(error), (head, error)
            continue
        accepted += 1
        method, target, version, framing, keeps, upgrade = answer[2:8]
        assert parser.heads == 1, head
        assert (parser.method.encode(), parser.target) == (text(method), text(target)), head
        assert f"{parser.major}.{parser.minor}" == version, head
        assert parser.trimmed_fields() == pairs(answer[8:]), head
        if parser.is_upgrading:
            # It takes any request with Upgrade for one that ends HTTP on this connection, in HTTP/1.0 too, whereas ours is
            # passed on without its Upgrade or, as WebSocket, waits for the answer.
            assert b"upgrade" in head.lower(), head
            continue
        # It does not mind a body behind a request with Upgrade; we do, and ignore the Upgrade.
        assert upgrade == "none" or framing != "none", head
        if not keeps_for_known_reason(version, pairs(answer[8:])):
            assert parser.keeps == (keeps == "keeps"), head
        compare_framing(parser, framing, head)
    # Many must be accepted for the comparison to say anything.
    assert accepted > 500, accepted


def compare_framing(parser, framing, head):
    if framing == "none":
        # In 204, 304 and the like it reports the length that it then ignores.
        assert parser.messages == 1, head
    elif framing == "close":
        assert parser.messages == 0 and parser.needs_end, head
    elif framing == "chunked":
        assert parser.messages == 0 and not parser.length, head
        assert parser.read(b"3\r\nabc\r\n0\r\n\r\n") is None, head
        assert (parser.messages, parser.body) == (1, b"abc"), head
    else:
        assert parser.messages == 0 and parser.length == int(framing), head


def test_whatever_response_is_accepted_means_the_same_to_llhttp():
    examples = [case.bytes for case in read_cases("responses.cases").values()] + list(responses(random.Random(9112)))
    accepted = 0
    for example, answer in zip(examples, ask("response-to GET", examples)):
        if answer[0] != "complete":
            continue
        head = example[:int(answer[1])]
        parser = Response()
        error = parser.read(head)
        if error:
            assert is_known_refusal(error), (head, error)
            continue
        accepted += 1
        status, reason, version, framing, keeps, kind = answer[2:8]
        assert parser.heads == 1, head
        assert (parser.status, parser.reason) == (int(status), text(reason)), head
        assert f"{parser.major}.{parser.minor}" == version, head
        assert parser.trimmed_fields() == pairs(answer[8:]), head
        if status == "101" or parser.is_upgrading:
            continue
        compare_framing(parser, framing, head)
        if keeps == "keeps" and not keeps_for_known_reason(version, pairs(answer[8:])):
            assert parser.keeps, head
    assert accepted > 500, accepted


def test_whatever_chunked_body_is_accepted_is_the_same_to_llhttp():
    examples = [case.bytes for case in read_cases("chunked.cases").values()] + list(chunked_bodies(random.Random(9112)))
    accepted = 0
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    for example, answer in zip(examples, ask("chunked", examples)):
        if answer[0] != "complete":
            continue
        accepted += 1
        payload, passed = text(answer[2]), text(answer[3])
        for body in (example[:int(answer[1])], passed):
            parser = Request()
            error = parser.read(head + body)
            # It refuses framing fields in trailers, which we leave out.
            if error in ("InvalidContentLengthError", "InvalidTransferEncodingError") and body is not passed:
                continue
            assert error is None, (body, error)
            assert (parser.messages, parser.body) == (1, payload), body
    assert accepted > 500, accepted
