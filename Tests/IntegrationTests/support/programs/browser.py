"""Chromium without a window, told by the test what to do through the DevTools protocol, over a pair of pipes."""

import base64
import itertools
import json
import os
import queue
import shutil
import threading

from support.processes import Process
from support.waiting import wait_until

CHROMIUM = shutil.which("chromium")


class Browser:
    """A browser in a namespace with one page, and a profile in a folder of its own."""

    def __init__(self, namespace, folder):
        self._numbers = itertools.count(1)
        self._answers = queue.Queue()
        self._events = []
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        # The browser reads commands from descriptor 3 and writes answers to 4. (Not every sh knows numbers above 9.)
        self._process = Process(
            ["/bin/bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}', "bash", *namespace.command(
                CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--password-store=basic", f"--user-data-dir={folder}", "--remote-debugging-pipe", "about:blank")],
            pass_fds=(theirs_in, theirs_out), env={**os.environ, "HOME": str(folder)})
        os.close(theirs_in)
        os.close(theirs_out)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._page = None
        try:
            target = self.tell_browser("Target.createTarget", url="about:blank")["targetId"]
            self._page = self.tell_browser("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        except BaseException:
            self.stop()
            raise

    def _read(self):
        with os.fdopen(self._in, "rb", buffering=0) as stream:
            rest = b""
            while part := stream.read(1 << 16):
                *messages, rest = (rest + part).split(b"\0")
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._answers.put(message)
                    else:
                        self._events.append(message)
        self._answers.put(None)

    def tell(self, method, **parameters):
        """Sends a command of the DevTools protocol to the page and returns its result."""
        return self._tell(method, parameters, {"sessionId": self._page})

    def tell_browser(self, method, **parameters):
        """Sends one that is the browser's and not the page's."""
        return self._tell(method, parameters, {})

    def _tell(self, method, parameters, session):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **session}
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._answers.get(timeout=30)
            assert answer, f"the browser has ended:\n{self._process.output[-2000:]}"
            if answer["id"] == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def events(self, method):
        """The parameters of all events of a kind so far, of the domains that were enabled."""
        return [event["params"] for event in list(self._events) if event["method"] == method]

    def evaluate(self, script):
        """The value of a JavaScript expression in the page; a promise's once it is there."""
        result = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, f"{script}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def visit(self, url):
        """Goes to a page."""
        answer = self.tell("Page.navigate", url=url)
        assert not answer.get("errorText"), f"{url}: {answer['errorText']}"

    def wait_for(self, condition, limit=20.0):
        """Waits until a JavaScript expression is true; between two pages none is."""
        def is_true():
            try:
                return self.evaluate(condition)
            except AssertionError:
                return False
        try:
            wait_until(is_true, condition, limit=limit, interval=0.05)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; {self.evaluate('location.href + document.body.innerText')}") from None

    def fill_in(self, **fields):
        """Types into the form's fields by their names."""
        for name, value in fields.items():
            self.evaluate(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")

    def click(self, selector):
        """Clicks what a CSS selector names first, once it is there."""
        self.wait_for(f"document.readyState === 'complete' && !!document.querySelector({json.dumps(selector)})")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def press(self, key, code=0, **parameters):
        """Presses a key and lets it go: `Tab`, or `Enter` with its character."""
        for kind in ("keyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **parameters)

    def screenshot(self):
        """Returns a picture of the window, as PNG."""
        return base64.b64decode(self.tell("Page.captureScreenshot")["data"])

    def stop(self):
        os.close(self._out)
        self._process.stop()
        self._reader.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
