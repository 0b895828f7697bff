"""The status page in a browser, watched for what it does in secret: errors, and requests to elsewhere."""

import contextlib
import json
import pathlib

from support import packages
from support.programs.browser import Browser
from support.waiting import wait_until

PORT = 9901
needs_axe = packages.needs("axe_core_python")


class StatusPage(Browser):
    """A browser that shows the page of an admin port."""

    def __init__(self, namespace, folder, address, port=PORT):
        super().__init__(namespace, folder)
        self.origin = f"http://{address}:{port}"
        for domain in ("Log", "Runtime", "Network", "Page"):
            self.tell(f"{domain}.enable")

    def show(self, **media):
        """Opens the page, under other media features than usual: `prefers_color_scheme="dark"`."""
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.tell("Emulation.setEmulatedMedia", features=features)
        self.visit(self.origin + "/")
        self.wait_for("document.readyState === 'complete' && document.body.dataset.freshness === 'live'")

    def resize(self, width, height, scale=1):
        """Makes the window so large, in CSS pixels."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
            mobile=width < 500)

    def text(self, selector):
        """Returns the text of the first such element; None where there is none."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent")

    def wait_for_text(self, selector, part, limit=20.0):
        """Waits until an element says this."""
        wait_until(
            lambda: part in (self.text(selector) or ""), f"{selector} says {part!r}", limit=limit, interval=0.02)

    def sentence(self):
        return self.text("#sentence")

    @contextlib.contextmanager
    def hidden(self):
        """Another tab is in front meanwhile."""
        tab = self.tell_browser("Target.createTarget", url="about:blank")["targetId"]
        self.tell_browser("Target.activateTarget", targetId=tab)
        self.wait_for("document.hidden")
        yield
        self.tell_browser("Target.closeTarget", targetId=tab)
        self.tell("Page.bringToFront")
        self.wait_for("!document.hidden")

    def requests(self):
        """The addresses of all requests so far."""
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")]

    def assert_quiet(self, lost=False):
        """There were no errors, and no requests to elsewhere. `lost`: some found nobody who answers."""
        problems = [event["exceptionDetails"] for event in self.events("Runtime.exceptionThrown")]
        problems += [event for event in self.events("Runtime.consoleAPICalled")]
        problems += [
            event["entry"] for event in self.events("Log.entryAdded")
            if not (lost and event["entry"]["source"] == "network")]
        assert not problems, problems
        elsewhere = [url for url in self.requests() if not url.startswith((self.origin + "/", "data:"))]
        assert not elsewhere

    def accessibility_problems(self):
        """Returns axe-core's findings, as (rule, impact, first place)."""
        self.evaluate(_axe() + "; 0")
        result = self.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        assert len(result["passes"]) > 20, "axe has looked at next to nothing"
        return [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in result["violations"]]


def _axe():
    import axe_core_python
    return (pathlib.Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
