// What stands below the routes: the log's warnings, the process and its workers, the doctor's table, the configuration.
"use strict";

const MESSAGES_AT_FIRST = 6;

class MessageList {
  constructor() {
    this.list = document.getElementById("messages");
    this.none = document.getElementById("no-messages");
    this.button = document.getElementById("all-messages");
    this.showsAll = false;
    this.shown = "";
    this.messages = [];
    this.button.addEventListener("click", () => {
      this.showsAll = !this.showsAll;
      this.update(this.messages);
    });
  }

  update(messages) {
    this.messages = messages;
    const shown = JSON.stringify([this.showsAll, messages]);
    if (shown === this.shown) return;
    this.shown = shown;
    this.none.hidden = messages.length > 0;
    this.button.hidden = messages.length <= MESSAGES_AT_FIRST;
    say(this.button, this.showsAll ? "Show the latest only" : `Show all ${messages.length}`);
    const latest = messages.toReversed().slice(0, this.showsAll ? messages.length : MESSAGES_AT_FIRST);
    this.list.replaceChildren(...latest.map(({ time, level, text, count }) => make("li", {},
      makeIcon(level === "error" ? "bad" : "warning"),
      make("p", {}, timeElement(time), ` ${level}`, ...(count > 1 ? [`, ${countText(count)} times`] : [])),
      make("p", { class: "text" }, text))));
  }
}

function showProcess(status, cpuShare) {
  const { process, reloads } = status;
  showFigures(document.getElementById("process"), [
    ["Processor", cpuShare === null ? "–" : `${percentText(cpuShare)} of one`],
    ["Memory", memoryText(process.resident_bytes)],
    ["Descriptors", `${countText(process.open_descriptors)} of ${countText(process.max_descriptors)}`,
      process.max_descriptors > 0 ? process.open_descriptors / process.max_descriptors : undefined],
    ["Threads", countText(process.threads)],
    ["Running for", spanText(status.time - status.start_time)],
    ["Processor time", spanText(process.cpu_seconds)],
    ["Reloads", reloads.failed > 0 ? `${countText(reloads.succeeded)}, and ${countText(reloads.failed)} failed`
      : countText(reloads.succeeded)],
    ["Log lines dropped", countText(status.dropped_log_lines)],
  ]);
  const rows = document.getElementById("workers").tBodies[0];
  while (rows.children.length > status.workers.length) rows.lastElementChild.remove();
  status.workers.forEach((worker, index) => {
    const row = rows.children[index] ?? rows.appendChild(make("tr", {}, make("th", { scope: "row" }),
      ...Array.from({ length: 3 }, () => make("td", { class: "number" }))));
    const words = [`worker ${worker.number}`, latencyText(worker.loop_lag), memoryText(worker.parked_bytes),
      countText(worker.connections)];
    words.forEach((word, column) => say(row.children[column], word));
  });
}

/** A section that asks for its content whenever it is opened. */
class LazySection {
  constructor(id, address, show) {
    this.content = document.querySelector(`#${id} > .content`);
    const details = document.getElementById(id);
    details.addEventListener("toggle", () => {
      if (details.open) this.load(address, show);
    });
  }

  async load(address, show) {
    if (!this.content.firstChild) this.content.replaceChildren(make("p", { class: "quiet" }, "Loading"));
    try {
      const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
      this.content.replaceChildren(...show(await answer.text()));
    } catch (failure) {
      this.content.replaceChildren(make("p", {}, makeIcon("warning"), ` It did not come: ${failure.message}`));
    }
  }
}

function doctorContent(text) {
  const { listeners, outside_addresses, hidden_owners } = JSON.parse(text);
  const rows = listeners.map((listener) => {
    const owners = listener.processes.map(({ name, pid }) => `${name} (${pid})`).join(", ");
    const advice = [
      listener.explanation,
      ...(listener.caution ? [make("br"), make("strong", {}, "Mind: "), listener.caution] : []),
      ...(listener.command ? [make("br"), make("strong", {}, "Fix: "), make("code", {}, listener.command)] : []),
    ];
    const address = listener.address.includes(":") ? `[${listener.address}]` : listener.address;
    return make("tr", {},
      make("th", { scope: "row" }, `${address}:${listener.port}${listener.protocol === "udp" ? "/udp" : ""}`),
      make("td", {}, owners || "hidden"),
      make("td", { class: "reach" }, makeIcon(listener.reachable ? "good" : listener.command ? "bad" : "unknown"),
        listener.reachable ? "yes" : "no"),
      make("td", {}, ...advice));
  });
  const heads = ["Listens on", "Process", "From outside", "Why"].map((word) => make("th", { scope: "col" }, word));
  const table = make("table", { class: "doctor" },
    make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  const words = [
    outside_addresses.length ? `The outside looks for this place at ${outside_addresses.join(", ")}.`
      : "This place has no address for the outside.",
    ...(hidden_owners === 1 ? ["Whose one of the sockets is, this user may not see."] : []),
    ...(hidden_owners > 1 ? [`Whose ${countText(hidden_owners)} of the sockets are, this user may not see.`] : []),
  ];
  return [
    make("p", { class: "quiet" }, words.join(" ")),
    listeners.length
      ? make("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "The doctor's table" }, table)
      : make("p", {}, "Nothing listens here."),
  ];
}

function configurationContent(text) {
  return [make("pre", { tabindex: "0", role: "group", "aria-label": "Configuration in YAML" }, make("code", {}, text))];
}
