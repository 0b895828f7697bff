"""An app that authenticates connections with NTLM, as IIS does: whoever comes on a connection that has logged in is its user.

It looks at no password; what matters here is on which connection what is said.
"""

import base64
import struct
import threading

from support.http import HTTPApp, get, ok

_SIGNATURE = b"NTLMSSP\0"
# Unicode, NTLM, always sign, extended session security.
_FLAGS = 0x00000001 | 0x00000200 | 0x00008000 | 0x00080000

UNAUTHORIZED = b"401 Unauthorized"


def _field(scheme, message):
    return b"Authorization: %s %s\r\n" % (scheme, base64.b64encode(message))


def begins(scheme=b"NTLM"):
    """The field with which a client begins to log in (NEGOTIATE_MESSAGE)."""
    return _field(scheme, _SIGNATURE + struct.pack("<II", 1, _FLAGS) + bytes(16))


def goes_on(user, scheme=b"NTLM"):
    """The field with which it ends (AUTHENTICATE_MESSAGE), on the connection on which it has begun."""
    name = user.encode("utf-16-le")
    empty = struct.pack("<HHI", 0, 0, 64)
    place = struct.pack("<HHI", len(name), len(name), 64)
    return _field(scheme, _SIGNATURE + struct.pack("<I", 3) + empty * 3 + place + empty * 2 + struct.pack("<I", _FLAGS)
                  + name)


def _challenge():
    return _SIGNATURE + struct.pack("<IHHII", 2, 0, 0, 48, _FLAGS) + b"12345678" + bytes(8) + struct.pack("<HHI", 0, 0, 48)


def _user(message):
    length, _, start = struct.unpack_from("<HHI", message, 36)
    return message[start:start + length].decode("utf-16-le")


class LoginApp(HTTPApp):
    """Answers `USER on N` on connection N once that has logged in, and 401 before.

    offer: the fields of a 401 that does not go on with a login.
    preemptive: whether a first message is enough, as with Kerberos.
    """

    def __init__(self, namespace, offer=b"WWW-Authenticate: NTLM\r\n", preemptive=False, **options):
        self._offer = offer
        self._preemptive = preemptive
        self.users = {}
        self._begun = set()
        self._lock = threading.Lock()
        #: What each request was answered, by connection: (target, number, user or None).
        self.log = []
        super().__init__(namespace, self.respond, **options)

    def respond(self, request):
        with self._lock:
            fields = b""
            credentials = request[b"authorization"]
            if credentials:
                scheme, _, token = credentials.partition(b" ")
                message = base64.b64decode(token)
                kind = message[8] if message.startswith(_SIGNATURE) else 0
                if self._preemptive:
                    self.users[request.number] = "preemptive"
                elif kind == 1:
                    self._begun.add(request.number)
                    fields = b"WWW-Authenticate: %s %s\r\n" % (scheme, base64.b64encode(_challenge()))
                elif kind == 3 and request.number in self._begun:
                    self._begun.discard(request.number)
                    self.users[request.number] = _user(message)
            user = self.users.get(request.number)
            self.log.append((request.line.split()[1].decode(), request.number, user))
        if request.line.split()[1] == b"/public":
            data = ok(b"public on %d" % request.number)
        elif user is None:
            data = ok(b"who are you?", fields or self._offer, UNAUTHORIZED)
        else:
            data = ok(f"{user} on {request.number}".encode())
        request.connection.sendall(data)


def log_in(client, user, scheme=b"NTLM", target="/"):
    """Logs in on a client's connection; returns the answer."""
    first = client.ask(get(target, begins(scheme)))
    assert first.status == 401, first.head
    return client.ask(get(target, goes_on(user, scheme)))
