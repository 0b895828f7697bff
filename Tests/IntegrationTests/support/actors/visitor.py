"""An HTTP client that behaves as a browser does: it keeps its connection and its cookies, and follows redirects."""

import dataclasses
import email.message
import http.client
import http.cookiejar
import json
import urllib.parse
import urllib.request

from support.namespaces import Cable
from support.sockets import connect


@dataclasses.dataclass
class Answer:
    """The last response, and the address that it came from."""

    status: int
    headers: email.message.Message
    body: bytes
    url: str

    @property
    def text(self):
        return self.body.decode()

    def json(self):
        return json.loads(self.body)


class Connection(http.client.HTTPConnection):
    """An HTTP connection from inside a namespace."""

    def __init__(self, namespace, host, port, timeout=20):
        super().__init__(host, port, timeout=timeout)
        self._namespace = namespace
        # The number of times that it was opened: once, as long as everybody keeps it.
        self.opened = 0

    def connect(self):
        self.sock = connect(self._namespace, self.host, self.port, timeout=self.timeout)
        self.opened += 1


class Visitor:
    """Visits one place, one request after the other on one connection."""

    def __init__(self, namespace, host=Cable.CONTAINER, port=8080):
        name = f"[{host}]" if ":" in host else host
        self.origin = f"http://{name}:{port}"
        self.connection = Connection(namespace, host, port)
        self._jar = http.cookiejar.CookieJar()

    @property
    def cookies(self):
        """The cookies that it would send back, as {name: value}."""
        return {cookie.name: cookie.value for cookie in self._jar}

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, form=None, headers=(), **options):
        """Sends a form, as the page's own button would."""
        body = urllib.parse.urlencode(form or {}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", path, body=body, headers={**kind, **dict(headers)}, **options)

    def request(self, method, path, body=None, headers=(), follow=True):
        """Asks for a path, or a whole URL of the same place; a redirect to any other place is a failure."""
        url = urllib.parse.urljoin(self.origin, path)
        for _ in range(10):
            assert url.startswith(self.origin + "/"), f"it was sent away from {self.origin}, to {url}"
            answer = self._ask(method, url, body, headers)
            if not follow or answer.status not in (301, 302, 303, 307, 308):
                return answer
            if answer.status in (301, 302, 303) and method != "HEAD":
                method, body = "GET", None
                headers = {name: value for name, value in dict(headers).items() if name != "Content-Type"}
            url = urllib.parse.urljoin(url, answer.headers["Location"])
        raise AssertionError(f"the redirects never end: {url}")

    def _ask(self, method, url, body, headers):
        request = urllib.request.Request(url, method=method)
        self._jar.add_cookie_header(request)
        sent = {"Accept": "text/html", **dict(request.header_items()), **dict(headers)}
        self.connection.request(method, url[len(self.origin):], body=body, headers=sent)
        response = self.connection.getresponse()
        self._jar.extract_cookies(response, request)
        return Answer(response.status, response.headers, response.read(), url)

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
