"""Django, as startproject makes it, which answers to `localhost` only: people log into its admin site from outside."""

import re

import pytest

from support.actors.visitor import Visitor
from support.namespaces import Cable
from support.programs.django_site import NAME, PASSWORD, SITE, make_site, start_site
from support.programs.web_apps import http_route

pytestmark = SITE


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    return make_site(tmp_path_factory.mktemp("site"))


@pytest.fixture
def django(container, site, request):
    with start_site(container, site, *getattr(request, "param", [])) as server:
        yield server


def token_in(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page).group(1)


def fill_in(visitor, password=PASSWORD, token=None, **headers):
    """Asks for the admin site, and sends the login form that comes instead."""
    page = visitor.get("/admin/")
    assert page.url.endswith("/admin/login/?next=/admin/")
    form = {
        "csrfmiddlewaretoken": token or token_in(page.text), "username": NAME, "password": password, "next": "/admin/"}
    return visitor.post(page.url, form, headers={"Origin": visitor.origin, "Referer": page.url, **headers})


def test_it_answers_to_localhost_only(outside, django, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, listen=8080, host="preserve"))
    loopbridge(*http_route(tmp_path, listen=8081, host="upstream"))
    loopbridge(*http_route(tmp_path, listen=8082, host="localhost:8000"))
    with Visitor(outside, port=8080) as visitor:
        answer = visitor.get("/admin/")
        assert answer.status == 400
        assert f"Invalid HTTP_HOST header: &#x27;{Cable.CONTAINER}:8080&#x27;" in answer.text
    for port in (8081, 8082):
        with Visitor(outside, port=port) as visitor:
            answer = visitor.get("/admin/")
            assert answer.status == 200
            assert "Log in | Django site admin" in answer.text


@pytest.mark.parametrize(
    "django, address", [([], Cable.CONTAINER), (["--nothreading"], Cable.CONTAINER_V6)], indirect=["django"],
    ids=["threads", "one thread"])
def test_somebody_logs_in_works_and_logs_out(outside, django, loopbridge, tmp_path, address):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with Visitor(outside, address) as visitor:
        answer = fill_in(visitor)
        assert (answer.status, answer.url) == (200, visitor.origin + "/admin/")
        assert "Site administration" in answer.text
        assert set(visitor.cookies) == {"csrftoken", "sessionid"}

        # A form with CSRF of its own, a redirect to a page that tells what was done.
        page = visitor.get("/admin/auth/group/add/")
        name = f"Gärtner {address}"
        answer = visitor.post(
            page.url, {"csrfmiddlewaretoken": token_in(page.text), "name": name, "_save": "Save"},
            headers={"Origin": visitor.origin, "Referer": page.url})
        assert answer.url == visitor.origin + "/admin/auth/group/"
        assert name in answer.text and "was added successfully" in answer.text

        page = visitor.get("/static/admin/css/base.css")
        assert (page.status, int(page.headers["Content-Length"])) == (200, len(page.body))
        since = page.headers["Last-Modified"]
        again = visitor.request("GET", page.url, headers={"If-Modified-Since": since})
        assert (again.status, again.body) == (304, b"")

        form = {"csrfmiddlewaretoken": token_in(answer.text)}
        answer = visitor.post("/admin/logout/", form, headers={"Origin": visitor.origin})
        assert "Logged out" in answer.text
        assert visitor.get("/admin/").url.endswith("/admin/login/?next=/admin/")
        assert visitor.connection.opened == 1


def test_who_may_not_come_in_does_not(outside, django, loopbridge, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    for difference, status, words in [
        ({"password": "wrong"}, 200, "Please enter the correct username"),
        ({"token": "x" * 64}, 403, "CSRF token"),
        ({"Origin": "http://elsewhere.example"}, 403, "Origin checking failed - http://elsewhere.example does not"),
        # Its port is another: another place.
        ({"Origin": f"http://{Cable.CONTAINER}:8081"}, 403, "Origin checking failed"),
        ({"Origin": "null"}, 403, "Origin checking failed - null does not match"),
    ]:
        with Visitor(outside) as visitor:
            answer = fill_in(visitor, **difference)
            assert (answer.status, words in answer.text) == (status, True), f"{difference}: {answer.text}"
            assert "sessionid" not in visitor.cookies
            assert visitor.get("/admin/").url.endswith("/admin/login/?next=/admin/")
