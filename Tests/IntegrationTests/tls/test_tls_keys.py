"""Private keys: the memory that they are in, and the memory that they are not in."""

import os

import pytest

from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.memory import found_in_memory, traces_of_key
from support.namespaces import Cable
from support.sockets import connect
from support.tls import Authority, key_in_words, secure
from support.waiting import wait_until

CURVE = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
RSA = ("rsa:2048",)


@pytest.mark.parametrize("kind", [CURVE, RSA], ids=["curve", "rsa"])
def test_a_key_is_in_memory_as_long_as_it_is_used_and_its_file_is_not(
        container, loopbridge, tmp_path, authority, outside, kind):
    served, new = (authority.issue(name, "DNS:example.test", kind=kind) for name in ("served", "new"))
    old_traces, new_traces = (traces_of_key(pair.key, key_in_words(pair.key)) for pair in (served, new))
    tls = f"{{ certificate: {served.certificate}, key: {served.key} }}"
    file = ConfigurationFile(tmp_path, route("8443", "localhost:8000", tls=tls), workers=1)
    program = loopbridge("--config", file.path)

    def exchange():
        connection = secure(connect(outside, Cable.CONTAINER, 8443), authority)
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        return connection

    with App(container, echo):
        kept = exchange()
        traces = found_in_memory(program.pid, old_traces)
        # OpenSSL keeps the number, and nobody keeps what it was read from.
        assert traces and all(name.endswith(", number") for name in traces)
        first = kept.getpeercert()["serialNumber"]
        served.replace_by(new)

        def is_replaced():
            with exchange() as connection:
                return connection.getpeercert()["serialNumber"] != first

        wait_until(is_replaced, "the new certificate is shown")
        kept.close()
        wait_until(lambda: not found_in_memory(program.pid, old_traces), "the old key has left the memory")
        traces = found_in_memory(program.pid, new_traces)
        assert traces and all(name.endswith(", number") for name in traces)
    written = "\n".join([*map(str, program.log), *program.noise])
    for needle in {**old_traces, **new_traces}.values():
        assert needle.decode("latin-1") not in written


@pytest.mark.parametrize("speaks_tls", [True, False])
def test_nobody_else_of_the_same_user_gets_at_the_memory(loopbridge, tmp_path, speaks_tls):
    pair = Authority(tmp_path).issue("readable", "DNS:example.test")
    os.chmod(pair.key, 0o644)
    for folder in (tmp_path, *tmp_path.parents):
        if str(folder).startswith("/tmp/"):
            os.chmod(folder, os.stat(folder).st_mode | 0o011)
    tls = f"{{ certificate: {pair.certificate}, key: {pair.key} }}" if speaks_tls else None
    file = ConfigurationFile(tmp_path, route("8443", "localhost:8000", tls=tls), workers=1)
    program = loopbridge(
        "--config", file.path, wrapper=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"])
    # The kernel gives it to root where no dump is allowed (prctl(2)).
    assert os.stat(f"/proc/{program.pid}/mem").st_uid == (0 if speaks_tls else 65534)
