"""An admin port that says what a test has it say, for the commands that ask one."""

import http.server
import json
import os
import socket
import threading


def sample(connections=3, requests=10.0, up=True):
    """Returns a route's figures for the last second."""
    return {
        "time": 1_795_252_035.0, "connections": connections, "waiting": 0, "connections_per_second": 2.5,
        "requests_per_second": requests, "bytes_to_app_per_second": 2048.0, "bytes_to_client_per_second": 3_500_000.0,
        "failures_per_second": 0.0, "latency": {"p50": 0.0021, "p90": 0.03, "p99": 0.25}, "is_app_up": up}


def route(name="web", protocol="http", presence="up", since=None, connections=3, requests=1000, to_app=5000,
          to_client=70_000, latest=None, held=0, queued=0):
    """A route of a report."""
    return {
        "name": name, "listen": ["0.0.0.0:8080"], "upstream": "localhost:8000", "protocol": protocol,
        "app": {"presence": presence, "since": since}, "connections": {"count": connections, "limit": 10000},
        "held": held, "queued": {"count": queued, "limit": None}, "upstream_connections": {"count": 1, "limit": None},
        "pool": {"idle": 1, "spare": 0, "hits": 5, "misses": 1, "evictions": 0, "stale": 0},
        "totals": {"connections": 40, "requests": requests if protocol == "http" else None, "bytes_to_app": to_app,
                   "bytes_to_client": to_client, "failures": 2},
        "failures": [{"cause": "app_failed", "explanation": "The app's connection broke.", "count": 2,
                      "last_time": None}],
        "latest": latest}


def report(*routes, time=1_795_252_036.0, start_time=1_795_248_436.0, state="running", messages=(), cpu=12.5):
    """A whole report."""
    return {
        "version": "9.8.7", "time": time, "start_time": start_time, "state": state,
        "process": {"cpu_seconds": cpu, "resident_bytes": 15 << 20, "open_descriptors": 34, "max_descriptors": 1024,
                    "threads": 4},
        "workers": [{"number": number, "loop_lag": 0.0004, "parked_bytes": 0, "connections": 2} for number in range(2)],
        "routes": list(routes),
        "reloads": {"succeeded": 1, "failed": 1, "last_success": start_time, "has_failed_last": True},
        "dropped_log_lines": 7, "messages": list(messages)}


class AdminPort:
    """Answers GET with what `answers` has for the path: (status, body), or a function that gives it.

    namespace and address: where it listens; or path: the Unix socket on which it does.
    """

    def __init__(self, namespace=None, address=("127.0.0.1", 9901), path=None, answers=None):
        self.answers = dict(answers or {})
        self.asked = []
        port = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                port.asked.append(self.path)
                answer = port.answers.get(self.path, (404, "no such page\n"))
                status, body = answer() if callable(answer) else answer
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

            def address_string(self):
                return "client"

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def __init__(self):
                if path:
                    listener = socket.socket(socket.AF_UNIX)
                    listener.bind(path)
                    self.server_name, self.server_port = "localhost", 0
                else:
                    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
                    listener = namespace.socket(family) if namespace else socket.socket(family)
                    listener.settimeout(None)
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    listener.bind(address)
                listener.listen(16)
                super().__init__(address, Handler, bind_and_activate=False)
                self.socket.close()
                self.socket = listener

        self._path = path
        self._server = Server()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.socket.close()
        if self._path:
            os.unlink(self._path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
