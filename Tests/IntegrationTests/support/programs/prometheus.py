"""A real Prometheus, which scrapes the program as its users' would."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from support.waiting import wait_until


class Prometheus:
    """A Prometheus in a namespace that scrapes one target there once a second."""

    PORT = 9090

    def __init__(self, namespace, folder, target, job="loopbridge"):
        self._namespace = namespace
        configuration = folder / "prometheus.yml"
        configuration.write_text(
            "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
            f"scrape_configs: [{{ job_name: {job}, static_configs: [{{ targets: ['{target}'] }}] }}]\n")
        self._output = open(folder / "prometheus.log", "w+")
        self._process = subprocess.Popen(
            namespace.command(
                "prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.PORT}", "--log.level=warn"),
            stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT)
        wait_until(self._is_ready, "Prometheus is ready", limit=30)

    def _is_ready(self):
        try:
            with self._namespace.entered(), urllib.request.urlopen(
                    f"http://127.0.0.1:{self.PORT}/-/ready", timeout=10) as answer:
                return answer.status == 200
        except OSError:
            return False

    def query(self, expression, at=None):
        """An expression's instant vector as [(labels, value)], now or at a time in seconds since 1970."""
        parameters = {"query": expression} | ({"time": at} if at else {})
        answer = self._get("/api/v1/query?" + urllib.parse.urlencode(parameters))
        assert answer["status"] == "success", answer
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def value(self, expression, at=None):
        """The value of an expression that has one."""
        [(_, value)] = self.query(expression, at)
        return value

    def wait_for_scrape(self):
        """Waits until it has a scrape that began after this was called. Returns the time, in seconds since 1970, at which a query sees
        that scrape, and no later one."""
        began = time.time()

        def last():
            [(_, seconds)] = self.query("timestamp(up)")
            return seconds if seconds > began else None
        return wait_until(last, "it scrapes its target", limit=30, interval=0.1)

    def target_health(self):
        """Returns Prometheus's verdict on its target: `up`, or the reason why not."""
        [target] = self._get("/api/v1/targets")["data"]["activeTargets"]
        return target["lastError"] or target["health"]

    def _get(self, path):
        with self._namespace.entered():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.PORT}{path}", timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                raise AssertionError(f"{path}: {error.read().decode()}") from None

    def stop(self):
        self._process.kill()
        self._process.wait(10)
        self._output.close()
