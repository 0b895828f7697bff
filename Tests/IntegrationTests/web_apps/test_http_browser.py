"""Chromium uses apps that listen on loopback only: it logs into Django, and shows a development server's updates."""

import pytest

from support.namespaces import Cable
from support.programs.browser import CHROMIUM, Browser
from support.programs.django_site import NAME, PASSWORD, SITE, make_site, start_site
from support.programs.vite_like import NODE, make_project, start_vite_like
from support.programs.web_apps import http_route

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here"), pytest.mark.limit(120)]
ORIGIN = f"http://{Cable.CONTAINER}:8080"


@pytest.fixture
def browser(outside, tmp_path):
    with Browser(outside, tmp_path / "profile") as browser:
        yield browser


@SITE
def test_somebody_logs_in_and_clicks_through(container, outside, loopbridge, browser, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    with start_site(container, make_site(tmp_path / "site")):
        browser.visit(ORIGIN + "/admin/")
        browser.wait_for("location.pathname === '/admin/login/'")
        browser.wait_for("!!document.querySelector('[name=password]')")
        browser.fill_in(username=NAME, password=PASSWORD)
        browser.click("input[type=submit]")
        browser.wait_for("location.pathname === '/admin/'")

        # The style sheets came, too.
        browser.wait_for("document.readyState === 'complete' && document.styleSheets.length > 1")
        assert browser.evaluate("[...document.styleSheets].every((sheet) => sheet.cssRules.length > 0)")
        browser.click(".model-group .addlink")
        browser.wait_for("location.pathname === '/admin/auth/group/add/' && !!document.querySelector('[name=name]')")
        browser.fill_in(name="Hedgehogs")
        browser.click("[name=_save]")
        browser.wait_for("location.pathname === '/admin/auth/group/'")
        browser.wait_for("document.body.innerText.includes('“Hedgehogs” was added successfully')")
        browser.click(".field-__str__ a")
        browser.wait_for("document.querySelector('[name=name]')?.value === 'Hedgehogs'")
        browser.click("#logout-form button")
        browser.wait_for("document.body.innerText.includes('Thanks for spending some quality time')")
        assert browser.evaluate("location.origin") == ORIGIN


@pytest.mark.skipif(NODE is None, reason="there is no node here")
def test_a_changed_module_is_shown_without_loading_the_page_again(container, outside, loopbridge, browser, tmp_path):
    loopbridge(*http_route(tmp_path, host="upstream"))
    project = make_project(tmp_path / "project")
    with start_vite_like(container, project):
        browser.visit(ORIGIN + "/")
        browser.wait_for("document.documentElement.dataset.hmr === 'connected'")
        browser.wait_for("document.getElementById('words').textContent === 'before'")
        browser.evaluate("window.mark = 'the same page'")
        (project / "words.js").write_text("export const words = 'after'\n")
        browser.wait_for("document.getElementById('words').textContent === 'after'")
        assert browser.evaluate("window.mark") == "the same page"
