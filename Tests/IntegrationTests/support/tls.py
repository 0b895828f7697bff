"""Certificates made for a test, and clients that speak TLS.

```python
authority = Authority(tmp_path)
pair = authority.issue("server", "DNS:example.test")     # pair.certificate and pair.key are paths
client = secure(connect(outside, Cable.CONTAINER, 8443), authority, "example.test")
```
"""

import os
import ssl
import subprocess


class Pair:
    """The files of a certificate and its key."""

    def __init__(self, folder, name):
        self.certificate = str(folder / f"{name}.crt")
        self.key = str(folder / f"{name}.key")

    def serial(self):
        """The certificate's number as Python has it."""
        return _openssl("x509", "-noout", "-serial", "-in", self.certificate).strip().partition("=")[2]

    def replace_by(self, other):
        """Puts another pair's files in the places of these, one after the other, as programs that renew certificates do."""
        for old, new in ((self.certificate, other.certificate), (self.key, other.key)):
            with open(new, "rb") as source, open(old + ".new", "wb") as file:
                file.write(source.read())
            os.rename(old + ".new", old)


class Authority:
    """Signs certificates; its own is at `certificate`."""

    def __init__(self, folder, name="authority"):
        self._folder = folder
        self._name = name
        self.certificate = str(folder / f"{name}.crt")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign", "-keyout", folder / f"{name}.key",
                 "-out", self.certificate)

    def issue(self, name, alternative_names=None, subject=None, days=1, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """Makes a key and a certificate for it; a negative number of days makes one that has expired."""
        pair = Pair(self._folder, name)
        request = str(self._folder / f"{name}.csr")
        _openssl("req", "-newkey", *kind, "-nodes", "-subj", subject or f"/CN={name}", "-keyout", pair.key, "-out", request)
        extensions = self._folder / f"{name}.ext"
        extensions.write_text(f"subjectAltName={alternative_names}\n" if alternative_names else "basicConstraints=CA:FALSE\n")
        _openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._folder / f"{self._name}.key",
                 "-CAcreateserial", "-days", str(days), "-extfile", extensions, "-out", pair.certificate)
        return pair


def _openssl(*arguments):
    result = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return result.stdout


def key_in_words(path):
    """The numbers of a private key, in writing."""
    return _openssl("pkey", "-in", path, "-noout", "-text")


def context(authority=None, pair=None, highest=None, protocols=()):
    """Returns a client's settings for TLS; without an authority it believes anybody."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        made.load_verify_locations(authority.certificate)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if pair:
        made.load_cert_chain(pair.certificate, pair.key)
    if highest:
        made.maximum_version = highest
    if protocols:
        made.set_alpn_protocols(list(protocols))
    return made


def secure(connection, authority=None, name="example.test", **options):
    """Speaks TLS on a connection; an end without close_notify is an ssl.SSLEOFError."""
    return context(authority, **options).wrap_socket(connection, server_hostname=name, suppress_ragged_eofs=False)
