"""A real Prometheus scrapes the program under load, and what it makes of that agrees with what the load says of itself."""

import json
import math
import re
import shutil
import time

import pytest

from support.apps import App, echo
from support.configuration import ConfigurationFile, route
from support.namespaces import Cable
import support.packages  # noqa: F401, makes them importable
from support.processes import Process
from support.programs.prometheus import Prometheus
from support.programs.wrk import HTTP_SERVER, Wrk
from support.settings import REPOSITORY, SCRAPE_SECONDS
from support.sockets import connect, read_exactly
from support.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not shutil.which("prometheus"), reason="there is no prometheus"), pytest.mark.limit(180)]

CONFIG = REPOSITORY / "config"


@pytest.fixture
def program(container, outside, loopbridge, tmp_path):
    """Three routes: HTTP, bytes, and one whose app is missing."""
    file = ConfigurationFile(
        tmp_path, route(8080, 8000, "web", protocol="http"), route(8081, 8001, "bytes", upstream_connections="{ max: 8 }"),
        route(8082, 8002, "missing", hold="0s"), admin="{ listen: '127.0.0.1:9901' }")
    server = Process(container.command(*HTTP_SERVER))
    with App(container, echo, port=8001):
        wait_until(lambda: container.listens_on(8000), "the app listens")
        yield loopbridge("--config", file.path)
    server.stop()


@pytest.fixture
def prometheus(container, program, tmp_path):
    prometheus = Prometheus(container, tmp_path, "127.0.0.1:9901")
    wait_until(lambda: prometheus.query('up == 1'), "Prometheus has scraped the program", limit=30)
    assert prometheus.target_health() == "up"
    yield prometheus
    prometheus.stop()


def test_figures_agree_with_the_load(outside, prometheus):
    """Requests, bytes, rates and percentiles as wrk has seen them; connections as they were made, to the last one."""
    before = prometheus.wait_for_scrape()
    load = Wrk(outside, f"http://{Cable.CONTAINER}:8080/")
    began = time.time()
    sent = 0
    while time.time() < began + SCRAPE_SECONDS:
        with connect(outside, Cable.CONTAINER, 8081) as client:
            client.sendall(b"x" * 1000)
            assert read_exactly(client, 1000) == b"x" * 1000
        sent += 1
        time.sleep(0.01)  # the load's pace
    ended = time.time()
    report = load.stop()
    wait_until(lambda: prometheus.value("sum(loopbridge_connections)") == 0, "all connections have ended")
    after = prometheus.wait_for_scrape()

    def grown(series):
        return prometheus.value(f"sum({series})", after) - prometheus.value(f"sum({series})", before)

    print(f"wrk: {report.requests} requests, {report.bytes:.0f} bytes; connections: {sent}")
    assert grown('loopbridge_requests_total{route="web",code="2xx"}') == pytest.approx(report.requests, rel=0.01)
    assert grown('loopbridge_request_duration_seconds_count{route="web"}') == pytest.approx(report.requests, rel=0.01)
    assert grown('loopbridge_bytes_total{route="web",direction="to_client"}') == pytest.approx(report.bytes, rel=0.01)
    window = int(ended - began)
    slowest = prometheus.value(
        f'histogram_quantile(0.99, sum by (le) (rate(loopbridge_request_duration_seconds_bucket{{route="web"}}[{window}s])))',
        ended)
    print(f"slowest hundredth: {slowest * 1000:.2f} ms, wrk: {report.slowest_percent:.2f} ms")
    # The way to the client is wrk's alone.
    assert 0 < slowest < report.slowest_percent / 1000 * 1.6 + 0.001

    assert grown('loopbridge_connections_total{route="bytes"}') == sent
    assert grown('loopbridge_connections_ended_total{route="bytes"}') == sent
    assert grown('loopbridge_bytes_total{route="bytes",direction="to_app"}') == sent * 1000
    assert grown('loopbridge_bytes_total{route="bytes",direction="to_client"}') == sent * 1000
    assert grown('loopbridge_connection_duration_seconds_count{route="bytes"}') == sent
    assert grown('loopbridge_connect_duration_seconds_count{route="bytes"}') == sent
    assert dict((labels["route"], value) for labels, value in prometheus.query("loopbridge_app_up")) == {
        "web": 1, "bytes": 1, "missing": 0}


def test_every_query_of_the_dashboard_returns_data(outside, prometheus):
    load = Wrk(outside, f"http://{Cable.CONTAINER}:8080/")
    try:
        end = time.time() + max(SCRAPE_SECONDS, 8)
        while time.time() < end:
            with connect(outside, Cable.CONTAINER, 8081) as client:
                client.sendall(b"x")
                read_exactly(client, 1)
            # Refused at once, perhaps before it knows that it is connected, which is a failure to show.
            with pytest.raises(ConnectionResetError), connect(outside, Cable.CONTAINER, 8082) as client:
                read_exactly(client, 1)
            time.sleep(0.02)  # the load's pace
        empty = []
        for panel, expression in dashboard_queries():
            values = [value for _, value in prometheus.query(expression)]
            if not values or all(math.isnan(value) for value in values):
                empty.append(f"{panel}: {expression}")
        assert not empty, "\n".join(empty)
    finally:
        load.stop()


def test_the_dashboard_loads():
    """Grafana's own types take it (PyPI's grafana-foundation-sdk), and no two panels share a place."""
    dashboard = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    content = json.loads((CONFIG / "grafana-dashboard.json").read_text())
    loaded = dashboard.Dashboard.from_json(content)
    assert loaded.title == "loopbridge"
    assert len(loaded.panels) == len(content["panels"])
    places = set()
    for panel in content["panels"]:
        position = panel["gridPos"]
        for x in range(position["x"], position["x"] + position["w"]):
            for y in range(position["y"], position["y"] + position["h"]):
                assert x < 24 and (x, y) not in places, f"{panel['title']} overlaps"
                places.add((x, y))
    assert len({panel["id"] for panel in content["panels"]}) == len(content["panels"])


def dashboard_queries():
    """The dashboard's queries as (panel, expression), its variables filled in as Grafana does."""
    content = json.loads((CONFIG / "grafana-dashboard.json").read_text())
    for panel in content["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"].replace("$__rate_interval", "5s")
            yield panel["title"], re.sub(r"\$(job|instance|route)\b", ".*", expression)
