// One route: its state, its charts, its totals and what went wrong.
"use strict";

const STATE_WORDS = { up: "up", down: "down", unknown: "unknown" };
const STATE_MOODS = { up: "good", down: "bad", unknown: "unknown" };

class RouteView {
  constructor(name, number) {
    this.name = name;
    const id = `route-${number}`;
    this.stateIcon = makeIcon("unknown");
    this.state = make("span", { class: "word" });
    this.since = make("span", { class: "since" });
    this.listen = make("span", { class: "address" });
    this.upstream = make("span", { class: "address" });
    this.protocol = make("span", { class: "protocol" });
    this.moment = make("p", { class: "moment", hidden: "" });
    this.charts = make("div", {
      class: "charts", role: "group", tabindex: "0",
      "aria-label": `Charts of ${name}. The arrow keys look back, Escape returns to now.`,
    });
    this.totals = make("dl", { class: "figures" });
    this.failures = make("tbody");
    this.failureTable = make("table", { class: "failures", hidden: "" },
      make("caption", {}, "Failures, the latest first"),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Last"),
        make("th", { scope: "col", class: "number" }, "Count"), make("th", { scope: "col" }, "What has happened"))),
      this.failures);
    this.element = make("article", { id, "aria-labelledby": `${id}-name`, tabindex: "-1" },
      make("div", { class: "head" },
        make("h3", { id: `${id}-name` }, name),
        make("p", { class: "state" }, this.stateIcon, this.state, this.since),
        make("p", { class: "way" }, this.listen, " → ", this.upstream, this.protocol),
        this.moment),
      this.charts, this.totals, this.failureTable);
    this.isOnScreen = true;
    this.failuresShown = "";
    this.drawings = [];
  }

  update(route, now) {
    const { presence, since } = route.app;
    const mood = STATE_MOODS[presence] ?? "unknown";
    this.element.dataset.mood = mood;
    setAttribute(this.stateIcon.firstChild, "href", `#icon-${mood}`);
    say(this.state, STATE_WORDS[presence] ?? presence);
    say(this.since, since != null ? `since ${clockText(since)}, for ${spanText(now - since)}`
      : presence === "unknown" ? "until a client asks for it" : "since the start");
    say(this.listen, route.listen.join(", ") || "nowhere now");
    say(this.upstream, route.upstream);
    say(this.protocol, route.protocol);
    if (this.carries !== route.protocol) {
      this.carries = route.protocol;
      this.drawings = makeCharts(route.protocol);
      this.charts.replaceChildren(...this.drawings.map((chart) => chart.element));
    }
    showFigures(this.totals, totalsOf(route));
    this.showFailures(route.failures);
  }

  showFailures(failures) {
    const shown = JSON.stringify(failures);
    if (shown === this.failuresShown) return;
    this.failuresShown = shown;
    this.failureTable.hidden = failures.length === 0;
    this.failures.replaceChildren(...failures.map(({ cause, count, explanation, last_time }) => make("tr", {},
      make("td", {}, last_time == null ? "earlier" : timeElement(last_time)),
      make("td", { class: "number" }, totalText(count)),
      make("td", {}, `${explanation} `, make("code", {}, cause)))));
  }

  /** Draws the charts, with the figures of the moment at the cursor, or of now where there is none. */
  draw(samples, now, cursorTime) {
    if (!this.isOnScreen) return;
    const at = cursorTime === null ? samples.at(-1)
      : samples.find((sample) => Math.abs(sample.time - cursorTime) <= 0.75);
    for (const chart of this.drawings) chart.draw(samples, now, at, cursorTime);
    this.moment.hidden = cursorTime === null;
    if (cursorTime !== null) {
      const state = !at ? ", not sampled" : at.is_app_up === false ? ", the app was down" : "";
      say(this.moment, `at ${clockText(cursorTime)}, ${spanText(now - cursorTime)} ago${state}`);
    }
  }
}

function makeCharts(protocol) {
  const failures = { name: "failures", value: (sample) => sample.failures_per_second };
  const throughput = new Chart({
    title: "Throughput", scale: new LinearScale(1000), text: throughputText,
    series: bothWays((sample) => sample.bytes_to_client_per_second, (sample) => sample.bytes_to_app_per_second),
  });
  const beginnings = (title, value) => new Chart({
    title, scale: new LinearScale(5), text: rateText, marks: failures, series: [{ className: "first", area: true, value }],
  });
  const times = (title) => new Chart({
    title, scale: new LogarithmicScale(), text: latencyText,
    series: [
      { name: "p50", spoken: "median", className: "first", value: (sample) => sample.latency?.p50 },
      { name: "p90", spoken: "90th percentile", className: "second", value: (sample) => sample.latency?.p90 },
      { name: "p99", spoken: "99th percentile", className: "third", value: (sample) => sample.latency?.p99 },
    ],
  });
  const clients = (title) => new Chart({
    title, scale: new LinearScale(5), text: countText,
    series: [{ className: "first", area: true, value: (sample) => sample.connections }],
  });
  const waiting = () => new Chart({
    title: "Waiting", scale: new LinearScale(5), text: countText,
    series: [{ className: "waiting", area: true, value: (sample) => sample.waiting }],
  });
  switch (protocol) {
    case "udp":
      return [
        throughput,
        new Chart({
          title: "Datagrams", scale: new LinearScale(5), text: rateText,
          series: bothWays(
            (sample) => sample.datagrams_to_client_per_second, (sample) => sample.datagrams_to_app_per_second),
        }),
        beginnings("New flows", (sample) => sample.connections_per_second),
        clients("Flows"),
      ];
    case "http":
      return [
        throughput, beginnings("Requests", (sample) => sample.requests_per_second), times("Request time"),
        clients("Connections"), waiting(),
      ];
    default:
      return [
        throughput, beginnings("New connections", (sample) => sample.connections_per_second), times("Connect time"),
        clients("Connections"), waiting(),
      ];
  }
}

/** What goes to clients above the line, and what goes to the app below it. */
function bothWays(toClients, toApp) {
  return [
    { name: "to clients", className: "first", area: true, value: toClients },
    { name: "to app", className: "waiting", area: true, direction: -1, value: toApp },
  ];
}

/** What charts do not show. */
function totalsOf(route) {
  const { totals, pool } = route;
  const isUDP = route.protocol === "udp";
  const asked = pool.hits + pool.misses;
  const share = ({ count, limit }) => (limit > 0 ? count / limit : undefined);
  return [
    ["Clients", boundedText(route.connections), share(route.connections)],
    ["Wait for the app", route.held > 0 ? countText(route.held) : undefined],
    ["Wait for a turn", route.queued.count > 0 ? boundedText(route.queued) : undefined, share(route.queued)],
    ["To the app", isUDP ? undefined : boundedText(route.upstream_connections), share(route.upstream_connections)],
    ["Kept for reuse", pool.idle > 0 ? countText(pool.idle) : undefined],
    ["Opened ahead", pool.spare > 0 ? countText(pool.spare) : undefined],
    ["Reused", pool.hits > 0 ? percentText(pool.hits / asked) : undefined],
    [isUDP ? "Flows so far" : "Connections so far", totalText(totals.connections)],
    ["Requests so far", totals.requests == null ? undefined : totalText(totals.requests)],
    ["Datagrams to clients", isUDP ? totalText(totals.datagrams_to_client) : undefined],
    ["Datagrams to the app", isUDP ? totalText(totals.datagrams_to_app) : undefined],
    ["Sent to clients", bytesText(totals.bytes_to_client)],
    ["Sent to the app", bytesText(totals.bytes_to_app)],
    ["Failures", totalText(totals.failures)],
  ];
}
