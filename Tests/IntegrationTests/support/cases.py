"""The tables of HTTP cases that the unit tests share with these."""

import pathlib

_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "HTTP1Cases"


class Case:
    """One case: the bytes, the outcome's words, and the lines that are options of the case."""

    def __init__(self, name):
        self.name = name
        self.bytes = b""
        self.outcome = ""
        self.options = []

    @property
    def words(self):
        return self.outcome.split(" ")

    def framing(self):
        """The framing of the message's body: none, length=N, chunked or untilClose."""
        return next(word for word in self.words if word in ("none", "chunked", "untilClose") or "length=" in word)

    def __str__(self):
        return self.name


def read_cases(file):
    """The cases of a file in Tests/HTTP1Cases by their names; requests.cases describes the format."""
    found = {}
    case = None
    for line in (_FOLDER / file).read_text().splitlines():
        if line.startswith("["):
            case = Case(line[1:line.index("]")])
            assert case.name not in found, f"{case.name} comes twice in {file}"
            found[case.name] = case
        elif line.startswith(">|"):
            case.bytes += unescaped(line[2:])
        elif line.startswith(">"):
            case.bytes += unescaped(line[2:]) + b"\r\n"
        elif line.startswith("= "):
            case.outcome = line[2:]
        elif line == "about" or line.startswith("about "):
            case.bytes += _about_the_client(line[6:].encode())
        elif line and not line.startswith("#"):
            case.options.append(line)
    return found


def _about_the_client(host):
    in_forwarded = host if host and not set(host) & set(b':[]"') else b'"' + host + b'"'
    return b"".join([
        b"X-Forwarded-For: CLIENT\r\nX-Forwarded-Proto: http\r\n",
        b"X-Forwarded-Host: " + host + b"\r\n" if host else b"",
        b"Forwarded: for=CLIENT;",
        b"host=" + in_forwarded + b";" if host else b"",
        b"proto=http\r\n"])


def unescaped(line):
    r"""`\r \n \t \0 \\ \xHH`, and `\{N*c}` for N times the character c."""
    result, rest = b"", line
    while rest:
        if rest[0] != "\\":
            result, rest = result + rest[0].encode(), rest[1:]
        elif rest[1] == "x":
            result, rest = result + bytes.fromhex(rest[2:4]), rest[4:]
        elif rest[1] == "{":
            count, character = rest[2:rest.index("}")].split("*")
            result, rest = result + character.encode() * int(count), rest[rest.index("}") + 1:]
        else:
            result, rest = result + {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0"}.get(
                rest[1], rest[1].encode()), rest[2:]
    return result
