"""TLS as clients of the world see it: a scanner, OpenSSL's, curl's and a browser's."""

import json
import subprocess

import pytest

from support.apps import App
from support.configuration import ConfigurationFile, route
from support.http import get, ok
from support.namespaces import Cable
from support.packages import PYTHON, needs
from support.programs.browser import CHROMIUM, Browser

HOST = "example.test"
NAMES = f"DNS:{HOST}"
PAGE = b"<!doctype html><title>page</title><p>in safety"


@pytest.fixture(scope="module")
def pairs(authority):
    """Keys of both kinds, so that every cipher can be agreed on."""
    return [authority.issue("elliptic", NAMES), authority.issue("rsa", NAMES, kind=("rsa:2048",))]


@pytest.fixture
def bridge(loopbridge, tmp_path, pairs):
    def start():
        first, second = (f"certificate: {pair.certificate}, key: {pair.key}" for pair in pairs)
        tls = f"{{ {first}, certificates: [{{ {second} }}] }}"
        file = ConfigurationFile(tmp_path, route("8443", "localhost:8000", protocol="http", tls=tls))
        return loopbridge("--config", file.path)
    return start


def answer_page(connection):
    """Every request gets the page."""
    with connection:
        while request := connection.recv(4096):
            assert request.startswith(b"GET ")
            connection.sendall(ok(PAGE, b"Content-Type: text/html\r\n"))


@pytest.mark.limit(90)
@needs("sslyze")
def test_a_scanner_finds_nothing(bridge, container, outside, tmp_path, authority):
    bridge()
    report = tmp_path / "report.json"
    with App(container, answer_page):
        result = subprocess.run(
            outside.command(
                PYTHON, "-m", "sslyze", "--mozilla_config=intermediate", "--certinfo_ca_file", authority.certificate,
                f"--json_out={report}", f"{HOST}:8443{{{Cable.CONTAINER}}}"),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=80)
    assert result.returncode == 0 and "OK - Compliant." in result.stdout, result.stdout[-3000:] + result.stderr
    found = json.loads(report.read_text())["server_scan_results"][0]["scan_result"]
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert not found[f"{version}_cipher_suites"]["result"]["accepted_cipher_suites"]
    for version, count in (("tls_1_2", 6), ("tls_1_3", 3)):
        assert len(found[f"{version}_cipher_suites"]["result"]["accepted_cipher_suites"]) == count
    renegotiation = found["session_renegotiation"]["result"]
    assert renegotiation["supports_secure_renegotiation"] and renegotiation["client_renegotiations_success_count"] == 0


@pytest.mark.parametrize("kind", ["ECDSA", "RSA-PSS"])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_connects_and_comes_back_with_its_ticket(bridge, container, outside, tmp_path, authority, version, kind):
    bridge()
    session = str(tmp_path / "session")
    command = outside.command(
        "openssl", "s_client", version, "-connect", f"{Cable.CONTAINER}:8443", "-servername", HOST, "-CAfile",
        authority.certificate, "-verify_return_error", "-verify_hostname", HOST, "-sigalgs", f"{kind}+SHA256",
        "-ign_eof")
    with App(container, answer_page):
        for options, expected in ((["-sess_out", session], "New, TLSv1"), (["-sess_in", session], "Reused, TLSv1")):
            result = subprocess.run(
                [*command, *options], input=get("/", b"Connection: close\r\n").decode(), capture_output=True, text=True,
                timeout=20)
            assert result.returncode == 0, result.stderr
            assert expected in result.stdout and PAGE.decode() in result.stdout
            assert "Verification: OK" in result.stdout


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl_connects(bridge, container, outside, authority, version):
    bridge()
    with App(container, answer_page):
        result = subprocess.run(
            outside.command(
                "curl", "-sS", f"--tlsv{version}", "--tls-max", version, "--cacert", authority.certificate,
                "--connect-to", f"{HOST}:443:{Cable.CONTAINER}:8443", f"https://{HOST}/"),
            capture_output=True, timeout=20)
    assert (result.returncode, result.stdout) == (0, PAGE), result.stderr


@pytest.mark.limit(120)
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")
def test_a_browser_shows_the_page(bridge, container, outside, tmp_path):
    bridge()
    with App(container, answer_page), Browser(outside, tmp_path / "profile") as browser:
        # It does not know the authority.
        browser.tell("Security.setIgnoreCertificateErrors", ignore=True)
        browser.visit(f"https://{Cable.CONTAINER}:8443/")
        browser.wait_for("document.body?.innerText === 'in safety'")
        assert browser.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol") == "http/1.1"
        assert browser.evaluate("isSecureContext && location.protocol === 'https:'")
