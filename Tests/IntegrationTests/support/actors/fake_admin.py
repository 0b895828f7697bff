"""An admin port of a program that does not exist: made-up figures, for what takes the real one minutes or bad luck."""

import http.server
import importlib.machinery
import importlib.util
import json
import math
import threading
import time
import urllib.parse

from support.settings import REPOSITORY

_KEPT_SECONDS = 300


def page_generator():
    """The script that makes one page of the files in status-page/, as a module."""
    path = str(REPOSITORY / "scripts/embed-status-page")
    loader = importlib.machinery.SourceFileLoader("embed_status_page", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


class FakeRoute:
    """A route whose figures come and go in waves; what is set here shows at once."""

    def __init__(self, name, upstream="localhost:8000", protocol="http", listen=("0.0.0.0:8080",), scale=1.0):
        self.name, self.upstream, self.protocol, self.listen, self.scale = name, upstream, protocol, list(listen), scale
        self.presence, self.since = "up", None
        self.held = self.queued = 0
        self.queue_limit = 1000
        self.failures = []
        # Spans of time in which the app was down, as (start, end).
        self.down = []

    def sample(self, moment):
        """The figures of one second."""
        slow = math.sin(moment / 41 * (1 + self.scale / 9)) * 0.5 + math.sin(moment / 13 + self.scale) * 0.3
        noise = math.sin(moment * 12.9898 + self.scale * 78.233) * 43758.5453 % 1
        load = max(0.0, 0.9 + slow + 0.25 * noise) * self.scale
        is_up = not any(start <= moment < end for start, end in self.down)
        if self.presence == "down" and moment >= self.since:
            is_up = False
        load *= is_up
        median = 0.0021 * (1 + 0.4 * slow + 0.2 * noise)
        sample = {
            "time": moment, "connections": round(40 * load) + self.held,
            "waiting": self.held + self.queued,
            "connections_per_second": 11 * load, "bytes_to_app_per_second": 310e3 * load,
            "bytes_to_client_per_second": 9.1e6 * load * (0.8 + 0.4 * noise),
            "failures_per_second": float(noise > 0.985),
        }
        if self.presence != "unknown":
            sample["is_app_up"] = is_up
        if self.protocol == "http":
            sample["requests_per_second"] = 870 * load
        if load:
            sample["latency"] = {"p50": median, "p90": median * 2.3, "p99": median * (9 + 22 * noise ** 4)}
        return sample

    def status(self, now, start):
        """Returns its entry in /status.json."""
        latest = self.sample(math.floor(now))
        seconds = now - start
        total = round(540 * seconds * self.scale)
        status = {
            "name": self.name, "listen": self.listen, "upstream": self.upstream, "protocol": self.protocol,
            "app": {"presence": self.presence, **({} if self.since is None else {"since": self.since})},
            "connections": {"count": latest["connections"], "limit": 10000}, "held": self.held,
            "queued": {"count": self.queued, **({} if self.queue_limit is None else {"limit": self.queue_limit})},
            "upstream_connections": {"count": latest["connections"] // 3, "limit": 100},
            "pool": {"idle": 12, "spare": 0, "hits": total, "misses": total // 90, "evictions": 4, "stale": 9},
            "totals": {
                "connections": total // 40, "bytes_to_app": total * 400, "bytes_to_client": total * 10600,
                "failures": sum(failure["count"] for failure in self.failures)},
            "failures": self.failures, "latest": latest,
        }
        if self.protocol == "http":
            status["totals"]["requests"] = total
        return status


class FakeAdmin:
    """Serves the page made of the files in status-page/, and a status of `routes`, on a listening socket."""

    def __init__(self, listener, routes):
        self.routes = routes
        self.start_time = time.time() - 4321.5
        self.state = "running"
        self.messages = []
        self.reloads = {
            "succeeded": 2, "failed": 0, "last_success": self.start_time + 1200, "has_failed_last": False}
        self.process = {"resident_bytes": 23_400_000, "open_descriptors": 148, "max_descriptors": 1048576, "threads": 5}
        self.workers = [
            {"number": number, "loop_lag": 41e-6 * (number + 1), "parked_bytes": 262144 * number, "connections": 31}
            for number in range(2)]
        self.doctor = {
            "listeners": [
                {"address": "0.0.0.0", "port": 8080, "processes": [{"pid": 7, "name": "loopbridge"}], "reachable": True,
                 "explanation": "loopbridge (7) listens on every address."},
                {"address": "127.0.0.1", "port": 8000, "processes": [{"pid": 12, "name": "python3"}], "reachable": False,
                 "explanation": "python3 (12) listens on 127.0.0.1 only.", "command": "loopbridge 8000"},
                {"address": "::1", "port": 9229, "processes": [], "reachable": False,
                 "explanation": "A process that this user may not see listens on ::1 only.", "command": "loopbridge 9229",
                 "caution": "This is the usual port of Node's inspector: whoever reaches it owns the process."}],
            "outside_addresses": ["172.17.0.2", "fd00:17::2"], "hidden_owners": 1}
        self.configuration = "workers: 2\nroutes:\n  - name: web\n    listen: 0.0.0.0:8080\n"
        self.asked = []
        self.page, self.policy = page_generator().joined()
        admin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                admin.asked.append(self.path)
                kind, body = admin._answer(urllib.parse.urlsplit(self.path))
                self.send_response(200 if kind else 404)
                self.send_header("Content-Type", kind or "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Security-Policy", admin.policy)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # the browser has left

        self._server = Server(listener.getsockname()[:2], Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _answer(self, url):
        if url.path == "/":
            return "text/html; charset=utf-8", self.page.encode()
        if url.path == "/configuration.yaml":
            return "text/yaml", self.configuration.encode()
        answers = {
            "/status.json": self.status, "/doctor.json": lambda: self.doctor,
            "/history.json": lambda: self.history(int(urllib.parse.parse_qs(url.query).get("after", ["0"])[0]))}
        if url.path in answers:
            return "application/json", json.dumps(answers[url.path]()).encode()
        return None, b"There is nothing here.\n"

    def status(self):
        now = time.time()
        return {
            "version": "0.1.0", "time": now, "start_time": self.start_time, "state": self.state,
            "process": {**self.process, "cpu_seconds": (now - self.start_time) * 0.23}, "workers": self.workers,
            "routes": [route.status(now, self.start_time) for route in self.routes], "reloads": self.reloads,
            "dropped_log_lines": 0, "messages": self.messages}

    def history(self, after):
        last = int(time.time() - self.start_time)
        numbers = range(max(after, last - _KEPT_SECONDS, 0) + 1, last + 1)
        return {
            "interval": 1.0, "last": last, "start_time": self.start_time,
            "routes": {
                route.name: [route.sample(math.floor(self.start_time) + number) for number in numbers]
                for route in self.routes}}

    def restart(self):
        """All is forgotten."""
        self.start_time = time.time() - 1
        self.messages = []

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
