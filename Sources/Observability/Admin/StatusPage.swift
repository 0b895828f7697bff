// swift-format-ignore-file
// Made by scripts/embed-status-page of the files in status-page/. Change those, and run it again.

/// The page that shows how the program is, for browsers: one file that needs nothing from elsewhere.
public enum StatusPage {
    /// The page in UTF-8, to be sent as `text/html; charset=utf-8`.
    public static let html: [UInt8] = Array(text.utf8)

    /// The Content-Security-Policy to send with it: its own scripts, its own style, and requests to its own server only.
    public static let contentSecurityPolicy = """
        default-src 'none'; \
        connect-src 'self'; \
        img-src data:; \
        style-src \
        'sha256-hxBYMCdIM/N9rnkmUaBaLDwx4+pEeJOo8xN/O0vTK2U='; \
        script-src \
        'sha256-p32SyQjOPZdTsE+UQck3alvemo3ZkRqvHmUPmwIMbAY=' \
        'sha256-G2INQzyDLIVIFqOa+wbaYrkQPRwHsVgevhfGtGAor+I=' \
        'sha256-M1BvJrUFXa9fOvCBoNkKp5q3EuuT3s/KysDK/BlUNIQ=' \
        'sha256-LIyY/z6o9jB1hhenDZMeTTErSrocXHywpH1HjhUc1pw=' \
        'sha256-3P8bZp/R4pVjvWc+9uzfpNmfhx9NGgwRfGAvve3CYGQ=' \
        'sha256-dIbVy0hrMaExmAny0M6rdTBo7obXLGBThaDpmW9HGLM='; \
        base-uri 'none'; \
        form-action 'none'; \
        frame-ancestors 'none'
        """

    private static let text = #"""
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>loopbridge</title>
<link rel="icon" href="data:,">
<style>
:root {
  color-scheme: light dark;
  --ground: #f6f7f8; --panel: #fff; --line: #d9dde2; --faint: #e9ecef;
  --text: #1b1f24; --dim: #535b65; --link: #0b4fa8;
  --good: #1f7a3d; --warning: #9a5000; --bad: #b3261e; --unknown: #5b646e; --on-mood: #fff;
  --first: #1f62b5; --second: #a8560b; --third: #7a3e9d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --panel: #1b1f23; --line: #343b42; --faint: #272d33;
    --text: #eceff2; --dim: #b0b9c3; --link: #9cc8ff;
    --good: #6fce8b; --warning: #f0b35c; --bad: #ff9087; --unknown: #b0b9c3; --on-mood: #14171a;
    --first: #7db6f5; --second: #e8a75c; --third: #d09bef;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--ground); color: var(--text); font: .875rem/1.45 system-ui, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
header, main, footer { width: 100%; max-width: 88rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, p, ul, ol, dl, dd, figure { margin: 0; padding: 0; font-size: inherit; }
ul, ol { list-style: none; }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
:target { outline: 2px solid var(--link); }
code, pre { font: .95em/1.5 ui-monospace, monospace; }
button {
  font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--dim); border-radius: 5px;
  padding: .2rem .7rem; min-height: 1.9rem; cursor: pointer;
}
button:hover { background: var(--faint); }
.quiet { color: var(--dim); }
.for-ears { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -5rem; padding: .5rem 1rem; background: var(--panel); z-index: 1; }
.skip:focus { top: .5rem; }
.definitions { position: absolute; }

/* Icons: a shape of its own for each mood, so that colour only repeats it. */
.icon { width: 1em; height: 1em; flex: none; vertical-align: -.12em; fill: none; }
.shape { fill: currentColor; }
.sign { stroke: var(--on-mood); stroke-width: 1.8; fill: none; }
.ring, .mark { stroke: currentColor; stroke-width: 1.5; fill: none; }
.ring { stroke-dasharray: 2.75 1.65; }
.icon:has([href="#icon-good"]) { color: var(--good); }
.icon:has([href="#icon-warning"]) { color: var(--warning); }
.icon:has([href="#icon-bad"]) { color: var(--bad); }
.icon:has([href="#icon-unknown"]) { color: var(--unknown); }

/* At the top, what is the matter */
.masthead { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .9rem 0 .4rem; }
.name { color: var(--dim); }
.name strong { color: var(--text); letter-spacing: .01em; }
.controls { display: flex; align-items: center; gap: .8rem; color: var(--dim); text-align: right; }
#freshness::before {
  content: ""; display: inline-block; width: .6em; height: .6em; margin-right: .45em; border-radius: 50%;
  border: 1.5px solid var(--dim);
}
[data-freshness=live] #freshness::before { background: var(--good); border-color: var(--good); }
.verdict { display: flex; gap: .7rem; align-items: flex-start; font-size: 1.65rem; line-height: 1.25; }
.verdict .icon { margin-top: .125em; }
h1 { font-weight: 600; letter-spacing: -.01em; text-wrap: balance; }
#notes { margin-top: .5rem; }
#notes li { display: flex; gap: .5rem; align-items: baseline; }
#notes .icon { align-self: flex-start; margin-top: .22em; }

/* Terms and figures */
.figures { display: flex; flex-wrap: wrap; gap: .35rem 1.75rem; }
.figures div { display: flex; flex-direction: column; }
.figures dt { color: var(--dim); font-size: .8125rem; }
.figures dd { font-weight: 600; white-space: nowrap; }
.figures [data-share=most] dd { color: var(--warning); text-decoration: underline; text-decoration-thickness: 2px; }
#summary { margin-top: .9rem; padding-bottom: 1rem; gap: .5rem 2.25rem; }
#summary dd { font-size: 1.0625rem; }
.figures dt { order: 1; }
article .figures dt, #process dt { order: 0; }

/* What comes below */
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.25rem; padding-bottom: 1.5rem; }
h2 { font-weight: 600; font-size: 1rem; margin-bottom: .6rem; }
article, .columns > section, details {
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .9rem 1.1rem;
}
article + article { margin-top: .8rem; }
article { border-left: 4px solid var(--unknown); }
article[data-mood=good] { border-left-color: var(--good); }
article[data-mood=bad] { border-left: 4px double var(--bad); }
article[data-mood=unknown] { border-left-style: dashed; }
.head { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; align-items: baseline; }
h3 { font-weight: 600; font-size: 1.0625rem; }
.state .word { font-weight: 600; margin: 0 .4em 0 .35em; }
.since, .way { color: var(--dim); }
.address { color: var(--text); }
.protocol {
  margin-left: .6em; padding: .05em .4em; border: 1px solid var(--line); border-radius: 4px; font-size: .8125rem;
}
.moment { margin-left: auto; color: var(--dim); }

/* Charts */
.charts {
  display: grid; grid-template-columns: 1.5fr .75fr 1.85fr .75fr .75fr; gap: .8rem 1.5rem; margin: .6rem -.4rem .7rem;
  padding: .3rem .4rem;
}
figure { min-width: 0; display: grid; align-content: end; }
figcaption { margin-bottom: .3rem; font-size: .8125rem; }
.title { display: block; color: var(--dim); }
.values { display: flex; flex-wrap: wrap; gap: 0 .7rem; }
.value { white-space: nowrap; }
.key { font-weight: 600; }
.of { color: var(--dim); margin-left: .35em; }
.key::before {
  content: ""; display: inline-block; width: 1.1em; margin-right: .4em; vertical-align: .28em; border-top: 2px solid;
}
.key.first::before { border-top-color: var(--first); }
.key.second::before { border-top: 2px dashed var(--second); }
.key.third::before { border-top: 2px dotted var(--third); }
.key.waiting::before { border-top-color: var(--second); }
h2 .quiet { font-weight: 400; }
.plot { position: relative; border: solid var(--line); border-width: 1px 0; }
.plot svg { display: block; width: 100%; height: 64px; }
.top, .bottom {
  position: absolute; left: 0; padding-right: .3em; font-size: .6875rem; line-height: 1.3; color: var(--dim);
  background: color-mix(in srgb, var(--panel) 75%, transparent); pointer-events: none;
}
.top { top: 0; }
.bottom { bottom: 0; }
.curve { fill: none; stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.curve.first { stroke: var(--first); }
.curve.second { stroke: var(--second); stroke-dasharray: 4 2; }
.curve.third { stroke: var(--third); stroke-dasharray: 1.5 2; }
.curve.waiting { stroke: var(--second); }
.area { stroke: none; opacity: .16; }
.area.first { fill: var(--first); }
.area.second, .area.waiting { fill: var(--second); }
.grid { stroke: var(--line); }
.down { fill: url(#hatching); }
.hatching { stroke: var(--bad); stroke-width: 1.2; opacity: .55; }
.marks { fill: var(--bad); }
.cursor { stroke: var(--text); stroke-dasharray: 2 2; }

/* Tables */
table { border-collapse: collapse; width: 100%; margin-top: .9rem; }
caption { text-align: left; color: var(--dim); padding-bottom: .2rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .9rem .3rem 0; font-weight: inherit; }
thead th { color: var(--dim); border-bottom: 1px solid var(--line); font-size: .8125rem; }
tbody tr + tr > * { border-top: 1px solid var(--faint); }
.number { text-align: right; white-space: nowrap; }
time { white-space: nowrap; }
.failures td:last-child { width: 100%; }
.failures code { color: var(--dim); }
.columns { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 1.25rem; align-items: start; }
#messages li {
  display: grid; grid-template-columns: auto auto 1fr; gap: 0 .6rem; padding: .3rem 0; align-items: baseline;
}
#messages li + li { border-top: 1px solid var(--faint); }
#messages p { color: var(--dim); white-space: nowrap; }
#messages .text { color: var(--text); white-space: normal; }
#messages .icon { align-self: start; margin-top: .2em; }
#all-messages { margin-top: .5rem; }

/* What opens */
summary { cursor: pointer; }
summary h2 { display: inline; }
.content { margin-top: .8rem; }
.wide { overflow-x: auto; }
.doctor td, .doctor th { white-space: nowrap; }
.doctor td:last-child { min-width: 18rem; width: 100%; white-space: normal; }
.reach .icon { margin-right: .4em; }
.doctor code { user-select: all; }
pre { margin: 0; overflow: auto; max-height: 40rem; padding: .2rem; overflow-wrap: normal; }
footer { padding-bottom: 2rem; color: var(--dim); }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; }

/* What is no longer true is told apart by more than words. */
[data-freshness=lost] main {
  border: 2px dashed var(--bad); border-radius: 10px; padding-top: 1rem; width: calc(100% - 1rem);
}

@media (max-width: 60rem) {
  .columns { grid-template-columns: minmax(0, 1fr); }
  .charts { grid-template-columns: repeat(6, minmax(0, 1fr)); }
  .charts figure { grid-column: span 2; }
  .charts figure:nth-child(n + 4) { grid-column: span 3; }
}
@media (max-width: 40rem) {
  header, main, footer { padding-left: .8rem; padding-right: .8rem; }
  .verdict { font-size: 1.3rem; }
  article, .columns > section, details { padding: .75rem .8rem; }
  .charts { gap: .8rem .9rem; }
  .charts figure { grid-column: 1 / -1; }
  .state, .way, .moment { flex-basis: 100%; margin-left: 0; }
  .figures, #summary { display: grid; grid-template-columns: repeat(auto-fill, minmax(6.5rem, 1fr)); gap: .5rem .8rem; }
  .figures dd { white-space: normal; }
  #messages li { grid-template-columns: auto 1fr; }
  #messages .text { grid-column: 1 / -1; }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
}
@media (forced-colors: active) {
  .curve, .grid, .cursor { stroke: CanvasText; }
  .shape, .marks { fill: CanvasText; }
  .sign { stroke: Canvas; }
}
</style>
</head>
<body data-mood="unknown">
<svg hidden>
  <symbol id="icon-good" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7.25" class="shape"/><path d="M4.5 8.2 7 10.7 11.6 5.6" class="sign"/>
  </symbol>
  <symbol id="icon-bad" viewBox="0 0 16 16">
    <path d="M5 .75h6L15.25 5v6L11 15.25H5L.75 11V5z" class="shape"/>
    <path d="m5.2 5.2 5.6 5.6m0-5.6-5.6 5.6" class="sign"/>
  </symbol>
  <symbol id="icon-warning" viewBox="0 0 16 16">
    <path d="M8 1 15.4 14.6H.6z" class="shape"/><path d="M8 6v4m0 2v.6" class="sign"/>
  </symbol>
  <symbol id="icon-unknown" viewBox="0 0 16 16">
    <circle cx="8" cy="8" r="7" class="ring"/><path d="M6 6.4a2 2 0 1 1 2.6 2Q8 8.7 8 9.6m0 2v.6" class="mark"/>
  </symbol>
</svg>
<svg class="definitions" aria-hidden="true" width="0" height="0">
  <pattern id="hatching" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
    <path d="M0 0v5" class="hatching"/>
  </pattern>
</svg>

<a class="skip" href="#routes">Skip to the routes</a>

<header>
  <div class="masthead">
    <p class="name"><strong>loopbridge</strong> <span id="version"></span></p>
    <p class="controls"><span id="freshness">loading</span> <button type="button" id="pause">Pause</button></p>
  </div>
  <div class="verdict">
    <svg class="icon" aria-hidden="true"><use id="verdict-icon" href="#icon-unknown"/></svg>
    <h1 id="sentence">Asking loopbridge how it is</h1>
  </div>
  <ul id="notes"></ul>
  <dl id="summary" class="figures"></dl>
  <p id="announcer" class="for-ears" role="status"></p>
  <noscript><p>This page needs JavaScript. <a href="status.json">status.json</a> and <a href="metrics">metrics</a> say
  the same without it.</p></noscript>
</header>

<main>
  <section id="routes" aria-labelledby="routes-heading" tabindex="-1">
    <h2 id="routes-heading">Routes <span class="quiet">over the last 5 minutes</span></h2>
    <p id="no-routes" hidden>Nothing is bridged yet.</p>
  </section>

  <div class="columns">
    <section aria-labelledby="messages-heading">
      <h2 id="messages-heading">Warnings in the log</h2>
      <p id="no-messages">None so far.</p>
      <ol id="messages"></ol>
      <button type="button" id="all-messages" hidden></button>
    </section>

    <section aria-labelledby="process-heading">
      <h2 id="process-heading">Process</h2>
      <dl id="process" class="figures"></dl>
      <table id="workers">
        <caption>Workers</caption>
        <thead><tr>
          <th scope="col">Thread</th><th scope="col" class="number">Loop lag</th>
          <th scope="col" class="number">Parked</th><th scope="col" class="number">Connections</th>
        </tr></thead>
        <tbody></tbody>
      </table>
    </section>
  </div>

  <section aria-labelledby="doctor-heading">
    <details id="doctor">
      <summary><h2 id="doctor-heading">Doctor: who listens here, and who can reach it</h2></summary>
      <div class="content"></div>
    </details>
  </section>

  <section aria-labelledby="configuration-heading">
    <details id="configuration">
      <summary><h2 id="configuration-heading">Effective configuration</h2></summary>
      <div class="content"></div>
    </details>
  </section>
</main>

<footer>
  <nav aria-label="The same for machines">
    <a href="metrics">metrics</a> <a href="status.json">status.json</a> <a href="history.json">history.json</a>
    <a href="readyz">readyz</a> <a href="healthz">healthz</a>
  </nav>
</footer>

<script>
// How figures and moments are written, and how elements are made of them. Text only ever becomes text: names of routes
// and lines of the log come from outside.
"use strict";

const NARROW_SPACE = "\u202f";

/** Three digits that count, at least for what is below a thousand. */
function threeDigits(value) {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return Math.round(value).toLocaleString("en");
  return value.toFixed(size >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

function scaledText(value, base, units) {
  let place = 0;
  let scaled = value;
  while (Math.abs(scaled) >= base * 0.9995 && place < units.length - 1) {
    scaled /= base;
    place += 1;
  }
  return threeDigits(scaled) + NARROW_SPACE + units[place];
}

const bytesText = (bytes) => scaledText(Math.round(bytes), 1000, ["B", "kB", "MB", "GB", "TB", "PB"]);
const throughputText = (bytes) => bytesText(bytes) + "/s";
const memoryText = (bytes) => scaledText(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
const countText = (count) => Math.round(count).toLocaleString("en");

/** A count that may be too long for its place: 12.3 million. */
function totalText(count) {
  return count < 1e6 ? countText(count) : scaledText(count / 1e6, 1000, ["million", "billion", "trillion"]);
}

/** Events a second. */
function rateText(rate) {
  if (rate > 0 && rate < 0.05) return "< 0.1/s";
  return (rate < 10 ? threeDigits(Math.round(rate * 10) / 10) : countText(rate)) + "/s";
}

/** A share of one: 98.7 %. */
const percentText = (share) => threeDigits(Math.floor(share * 1000) / 10) + NARROW_SPACE + "%";

/** A short duration in seconds, as it is measured: 1.25 ms. */
function latencyText(seconds) {
  if (seconds < 0.9995e-3) return threeDigits(Math.round(seconds * 1e6)) + NARROW_SPACE + "µs";
  if (seconds < 0.9995) return threeDigits(seconds * 1e3) + NARROW_SPACE + "ms";
  return threeDigits(seconds) + NARROW_SPACE + "s";
}

/** A long duration in seconds, as people say it: 2 h 5 min. */
function spanText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return `0${NARROW_SPACE}s`;
  // Seconds matter for some minutes only, and minutes for some hours.
  const count = parts[first][0] < 10 && first > 0 ? 2 : 1;
  return parts.slice(first, first + (first === 0 ? 2 : count)).filter(([amount]) => amount > 0)
    .map(([amount, unit]) => amount + NARROW_SPACE + unit).join(" ");
}

/** `1 client waits`, `3 clients wait`. */
const counted = (count, one, many) => `${countText(count)} ${count === 1 ? one : many}`;

/** The time of day here, with the day where it is not today's. */
function clockText(seconds) {
  const moment = new Date(seconds * 1000);
  const time = moment.toLocaleTimeString("en-GB");
  return moment.toDateString() === new Date().toDateString()
    ? time : `${moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" })} ${time}`;
}

/** A moment in seconds since 1970 that machines can read, too. */
function timeElement(seconds) {
  const element = make("time", { datetime: new Date(seconds * 1000).toISOString() }, clockText(seconds));
  element.title = element.dateTime;
  return element;
}

/** An element; what is no element among its children becomes text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function makeDrawn(name, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** One of the icons in the page, which say nothing that is not beside them in words. */
function makeIcon(mood) {
  return makeDrawn("svg", { class: "icon", "aria-hidden": "true" }, makeDrawn("use", { href: `#icon-${mood}` }));
}

/** Changes a text, and nothing where it is the same: screen readers and selections are left alone. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Shows terms and figures in a `dl`: `[term, figure, share of its limit]`; those without a figure are left out. */
function showFigures(list, figures) {
  const wanted = figures.filter(([, figure]) => figure !== undefined && figure !== null);
  while (list.children.length > wanted.length) list.lastElementChild.remove();
  wanted.forEach(([term, figure, share], index) => {
    const pair = list.children[index] ?? list.appendChild(make("div", {}, make("dt"), make("dd")));
    say(pair.children[0], term);
    say(pair.children[1], String(figure));
    if (share === undefined) delete pair.dataset.share;
    else pair.dataset.share = share >= 0.9 ? "most" : "some";
  });
}

/** `12 of 100`. */
function boundedText({ count, limit }) {
  return limit === undefined || limit === null ? countText(count) : `${countText(count)} of ${countText(limit)}`;
}
</script>
<script>
// Small charts of the last minutes, as SVG.
"use strict";

const SECONDS_SHOWN = 300;
const CHART_HEIGHT = 64;

/** The nearest of these round numbers, and their tenfolds, that is no smaller, or with `down` no larger. */
function rounded(value, steps, down = false) {
  const decade = 10 ** Math.floor(Math.log10(value));
  const numbers = steps.map((step) => step * decade);
  return down ? numbers.findLast((number) => number <= value * 1.000001)
    : numbers.find((number) => number >= value * 0.999999);
}

/** From zero up, and down for series that point downwards. */
class LinearScale {
  constructor(least) {
    this.least = least;
  }

  fit(series, samples) {
    const most = (direction) => {
      const values = series.filter((one) => (one.direction ?? 1) === direction)
        .flatMap((one) => samples.map(one.value)).filter((value) => value != null);
      return rounded(Math.max(this.least, ...values), [1, 1.5, 2, 3, 4, 5, 6, 8, 10]);
    };
    this.top = most(1);
    this.bottom = series.some((one) => one.direction === -1) ? -most(-1) : 0;
    this.lines = [0];
  }

  /** From 0 at the bottom to 1 at the top. */
  place(value) {
    return (value - this.bottom) / (this.top - this.bottom || 1);
  }
}

/** Logarithmic, so that a median and a rare slow answer are both to be seen. */
class LogarithmicScale {
  fit(series, samples) {
    const values = series.flatMap((one) => samples.map(one.value)).filter((value) => value > 0);
    const steps = [1, 2, 5, 10];
    this.bottom = values.length ? rounded(Math.min(...values), steps, true) : 1e-4;
    this.top = values.length ? Math.max(rounded(Math.max(...values), steps), this.bottom * 10) : 1e-3;
    this.lines = [];
    const decade = 10 ** Math.ceil(Math.log10(this.bottom * 1.01));
    for (let line = decade; line < this.top * 0.99; line *= 10) this.lines.push(line);
  }

  place(value) {
    return Math.log(Math.max(value, this.bottom) / this.bottom) / Math.log(this.top / this.bottom);
  }
}

/**
 * A figure: its title, the figures of each series now or at the cursor, and the curves.
 *
 * title: what is shown. scale: one of the above. text: how a value is written. series: for each its name, a class, how
 * its value is found in a sample, `area` where it is filled, and `direction` -1 where it points downwards. marks: a value
 * that is marked at the foot wherever it is not zero, with a name.
 */
class Chart {
  constructor({ title, scale, text, series, marks }) {
    Object.assign(this, { title, scale, text, series, marks });
    this.figures = series.map((one) => make("span", { class: `key ${one.className}` }));
    this.top = make("span", { class: "top", "aria-hidden": "true" });
    this.bottom = make("span", { class: "bottom", "aria-hidden": "true" });
    this.grid = makeDrawn("path", { class: "grid" });
    this.minutes = makeDrawn("path", { class: "grid" });
    this.down = makeDrawn("path", { class: "down" });
    this.areas = series.map((one) => makeDrawn("path", { class: `area ${one.className}` }));
    this.curves = series.map((one) => makeDrawn("path", { class: `curve ${one.className}` }));
    this.marked = makeDrawn("path", { class: "marks" });
    this.cursor = makeDrawn("path", { class: "cursor" });
    this.drawing = makeDrawn("svg", { role: "img", "aria-label": title, height: CHART_HEIGHT },
      this.down, this.grid, this.minutes, ...this.areas, ...this.curves, this.marked, this.cursor);
    this.element = make("figure", {},
      make("figcaption", {}, make("span", { class: "title" }, title),
        make("span", { class: "values" }, ...series.map((one, index) => make("span", { class: "value" },
          this.figures[index], ...(one.name ? [make("span", { class: "of" }, one.name)] : []))))),
      make("div", { class: "plot" }, this.drawing, this.top, this.bottom));
  }

  /** Draws samples, the oldest first, up to a moment; `at` is the sample whose figures are shown. */
  draw(samples, now, at, cursorTime) {
    const width = this.drawing.clientWidth || 200;
    setAttribute(this.drawing, "viewBox", `0 0 ${width} ${CHART_HEIGHT}`);
    this.scale.fit(this.series, samples);
    const x = (time) => Math.round((1 - (now - time) / SECONDS_SHOWN) * width * 10) / 10;
    const y = (value) => Math.round(((1 - this.scale.place(value)) * (CHART_HEIGHT - 3) + 1.5) * 10) / 10;

    this.grid.setAttribute("d", this.scale.lines.map((line) => `M0 ${y(line)}H${width}`).join(""));
    this.minutes.setAttribute("d",
      [1, 2, 3, 4].map((minute) => `M${x(now - 60 * minute)} ${CHART_HEIGHT}v-4`).join(""));
    this.series.forEach((one, index) => {
      const sign = one.direction ?? 1;
      const pieces = unbroken(samples, one.value).map((piece) =>
        piece.map((sample) => `${x(sample.time)} ${y(sign * one.value(sample))}`));
      this.curves[index].setAttribute("d", pieces.map((points) =>
        `M${points.join("L")}${points.length === 1 ? "h1" : ""}`).join(""));
      if (one.area) {
        this.areas[index].setAttribute("d", pieces.map((points) => {
          const [start, end] = [points[0], points.at(-1)].map((point) => point.split(" ")[0]);
          return `M${start} ${y(0)}L${points.join("L")}L${end} ${y(0)}Z`;
        }).join(""));
      }
    });
    this.down.setAttribute("d", unbroken(samples, (sample) => (sample.is_app_up === false ? 1 : null)).map((piece) => {
      const [start, end] = [x(piece[0].time - 1), x(piece.at(-1).time)];
      return `M${start} 0H${end}V${CHART_HEIGHT}H${start}Z`;
    }).join(""));
    if (this.marks) {
      this.marked.setAttribute("d", samples.filter((sample) => this.marks.value(sample) > 0)
        .map((sample) => `M${x(sample.time)} ${CHART_HEIGHT}l-2.5 -6h5z`).join(""));
    }
    this.cursor.setAttribute("d", cursorTime === null ? "" : `M${x(cursorTime)} 0V${CHART_HEIGHT}`);
    this.write(samples, at);
  }

  write(samples, at) {
    this.series.forEach((one, index) => {
      const value = at && one.value(at);
      say(this.figures[index], value == null ? "–" : this.text(value));
    });
    say(this.top, this.scale.top ? this.text(this.scale.top) : "");
    say(this.bottom, this.scale.bottom ? this.text(Math.abs(this.scale.bottom)) : "");
    setAttribute(this.drawing, "aria-label", this.alternative(samples));
  }

  /** What the curves show, in words. */
  alternative(samples) {
    const parts = this.series.map((one) => {
      const values = samples.map(one.value).filter((value) => value != null);
      const name = one.name ? `${one.spoken ?? one.name} ` : "";
      if (values.length === 0) return `${name}nothing`;
      const latest = samples.at(-1) && one.value(samples.at(-1));
      const current = latest == null ? "nothing" : this.text(latest);
      const [lowest, highest] = [Math.min(...values), Math.max(...values)].map(this.text);
      return `${name}now ${current}, lowest ${lowest}, highest ${highest}`;
    });
    if (this.marks) {
      const count = samples.filter((sample) => this.marks.value(sample) > 0).length;
      if (count > 0) parts.push(`${this.marks.name} in ${counted(count, "second", "seconds")}`);
    }
    return `${this.title}, last 5 minutes: ${parts.join("; ")}.`.replaceAll(NARROW_SPACE, " ");
  }
}

/** The samples that have a value, in pieces that no second is missing from. */
function unbroken(samples, value) {
  const pieces = [];
  let last = null;
  for (const sample of samples) {
    if (value(sample) == null) {
      last = null;
      continue;
    }
    if (last && sample.time - last.time < 2.5) pieces.at(-1).push(sample);
    else pieces.push([sample]);
    last = sample;
  }
  return pieces;
}
</script>
<script>
// What is the matter, in one sentence.
"use strict";

/** What clients and the operator have done is no fault of the app's. */
const HARMLESS_CAUSES = new Set([
  "client_denied", "client_connection_limit", "client_rate_limit", "client_failed", "client_left", "invalid_request",
  "unauthorized", "wrong_password", "head_timeout", "body_timeout", "idle_timeout", "half_close_timeout", "route_removed",
  "drained", "draining", "unsent_to_client",
]);
const RECENT_SECONDS = 60;

const waitingAt = (route) => route.held + route.queued.count;

/** A route's latest failure of the last minute that its app or the way to it is to blame for. */
function recentFailure(route, now) {
  return route.failures
    .filter(({ cause, last_time }) => !HARMLESS_CAUSES.has(cause) && last_time > now - RECENT_SECONDS)
    .sort((one, other) => other.last_time - one.last_time)[0];
}

/** `, 3 clients wait`, or nothing. */
const waitingText = (count) => (count > 0 ? `, ${counted(count, "client waits", "clients wait")}` : "");

/**
 * Weighs a status up.
 *
 * Returns the mood (`good`, `warning`, `bad` or `unknown`), the sentence, a short title, notes on what else is the
 * matter (`[mood, text, route's name]`), and `state`: what is said aloud, which changes neither with numbers nor with the
 * load.
 */
function weighUp(status) {
  const findings = [...programFindings(status), ...status.routes.flatMap((route) => routeFindings(route, status.time))];
  const gravity = { bad: 0, warning: 1, unknown: 2, good: 3 };
  findings.sort((one, other) => gravity[one.mood] - gravity[other.mood]);
  const down = status.routes.filter((route) => route.app.presence === "down");
  const calm = calmSentence(status.routes);
  let [first, ...others] = findings;
  if (down.length > 1 && first.isDown) {
    const all = down.length === status.routes.length;
    first = {
      mood: "bad",
      sentence: all ? `None of the ${down.length} apps is listening${waitingText(sum(down, waitingAt))}`
        : `${down.length} of ${status.routes.length} apps are not listening${waitingText(sum(down, waitingAt))}`,
      title: `${down.length} apps are down`,
    };
    others = findings;
  } else if (!first) {
    first = { mood: calm.mood, sentence: calm.sentence, title: calm.sentence };
  } else if (first.mood !== "bad" && calm.mood === "good" && first.joins) {
    first = { ...first, sentence: `${calm.sentence}; ${first.sentence}` };
  }
  return {
    mood: first.mood, sentence: first.sentence, title: first.title ?? first.sentence,
    notes: others.map((finding) => [finding.mood, finding.sentence, finding.route]),
    state: findings.filter((finding) => finding.state).map((finding) => finding.state).join(". ") || calm.sentence,
  };
}

/** When nothing is the matter. */
function calmSentence(routes) {
  const unknown = routes.filter((route) => route.app.presence === "unknown");
  if (routes.length === 0) return { mood: "unknown", sentence: "Nothing is bridged yet" };
  if (unknown.length === routes.length) {
    return { mood: "unknown", sentence: "No client has asked for an app yet" };
  }
  if (unknown.length > 0) {
    const names = unknown.length > 3 ? `${unknown.length} others` : unknown.map((route) => route.name).join(", ");
    return { mood: "good", sentence: `All apps that were asked for answer; nothing is known of ${names} yet` };
  }
  return { mood: "good", sentence: routes.length === 1 ? "The app answers" : "All apps answer" };
}

function programFindings(status) {
  const findings = [];
  const { process, reloads, workers } = status;
  if (status.state === "draining") {
    const left = sum(status.routes, (route) => route.connections.count);
    findings.push({
      mood: "bad", sentence: `loopbridge is stopping: ${counted(left, "connection is", "connections are")} left`,
      state: "loopbridge is stopping", title: "stopping",
    });
  }
  for (const worker of workers.filter((one) => one.loop_lag >= 1)) {
    findings.push({
      mood: "bad", sentence: `Worker ${worker.number} has not answered for ${spanText(worker.loop_lag)}`,
      state: `Worker ${worker.number} does not answer`,
    });
  }
  if (process.max_descriptors > 0 && process.open_descriptors >= 0.9 * process.max_descriptors) {
    findings.push({
      mood: "warning", state: "Descriptors run out",
      sentence: "Descriptors run out: "
        + `${countText(process.open_descriptors)} of ${countText(process.max_descriptors)} are open`,
    });
  }
  if (reloads.has_failed_last) {
    findings.push({
      mood: "warning", title: "wrong configuration", state: "The configuration was read again and is wrong",
      sentence: `The configuration was read again and is wrong; that of ${clockText(reloads.last_success)} holds`,
    });
  }
  return findings;
}

function routeFindings(route, now) {
  const waiting = waitingAt(route);
  if (route.app.presence === "down") {
    return [{
      mood: "bad", isDown: true, route: route.name, title: `${route.name} is down`,
      sentence: `${route.name}: the app at ${route.upstream} is not listening${waitingText(waiting)}`,
      state: `${route.name}: the app at ${route.upstream} is not listening`,
    }];
  }
  const findings = [];
  if (route.connections.limit != null && route.connections.count >= route.connections.limit) {
    findings.push({
      mood: "warning", route: route.name, title: `${route.name} is full`,
      sentence: `${route.name} has as many clients as it may, ${countText(route.connections.limit)}`,
    });
  }
  const failure = recentFailure(route, now);
  if (failure) {
    findings.push({
      mood: "warning", joins: true, route: route.name, title: `${route.name} had failures`,
      sentence: `${route.name} had failures in the last minute. ${failure.explanation}`,
    });
  }
  if (route.queued.count > 0) {
    findings.push({
      mood: "warning", joins: true, route: route.name, title: `clients queue at ${route.name}`,
      sentence: `${counted(route.queued.count, "client waits", "clients wait")} for a turn at ${route.name}`,
    });
  }
  return findings;
}

const sum = (values, figure) => values.reduce((total, value) => total + figure(value), 0);
</script>
<script>
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
</script>
<script>
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
</script>
<script>
// Asks for the status every second while somebody looks, and shows it.
"use strict";

const INTERVAL = 1000;
const LONGEST_PAUSE = 8000;
const PATIENCE = 5000;

const element = (id) => document.getElementById(id);
const messageList = new MessageList();

/** What is shown, and what it is made from. */
const shown = {
  status: null,
  routes: new Map(), // names to RouteViews
  routesMade: 0,
  history: new Map(), // names to samples, the oldest first
  lastSample: 0, // its number
  cpuShare: null, // of one processor
  cursorTime: null,
  spoken: null, // the last state that was said aloud
};

/** How the asking goes. */
const asking = {
  current: null, // an AbortController
  timer: null,
  pause: INTERVAL,
  lostAt: null, // since when there is no answer, in milliseconds
  isPaused: false,
};

// Asking

async function ask(address, signal) {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
  const answer = await fetch(address, { cache: "no-store", signal: limited });
  if (!answer.ok) throw new Error(`${address} was answered with ${answer.status}`);
  return answer.json();
}

/** Asks once, shows what comes, and sees to the next time. */
async function refresh() {
  stopAsking();
  const { signal } = (asking.current = new AbortController());
  const started = performance.now();
  try {
    const after = shown.lastSample > 0 ? `?after=${shown.lastSample}` : "";
    let [status, history] = await Promise.all([ask("status.json", signal), ask(`history.json${after}`, signal)]);
    if (shown.status && status.start_time !== shown.status.start_time) {
      // It was started anew, and so have the samples' numbers.
      forget();
      if (after) history = await ask("history.json", signal);
    }
    if (history.start_time !== status.start_time) throw new Error("it is just being started anew");
    if (signal.aborted) return;
    remember(history, status.time);
    show(status);
    asking.lostAt = null;
    asking.pause = INTERVAL;
  } catch (failure) {
    if (signal.aborted) return;
    asking.lostAt ??= Date.now();
    asking.pause = Math.min(asking.pause * 2, LONGEST_PAUSE);
    showLoss();
  }
  showFreshness();
  asking.timer = setTimeout(refresh, Math.max(100, asking.pause - (performance.now() - started)));
}

function stopAsking() {
  clearTimeout(asking.timer);
  asking.current?.abort();
}

/** Goes on where somebody looks, and stops where nobody does. */
function goOnOrStop() {
  if (document.hidden || asking.isPaused) stopAsking();
  else refresh();
  showFreshness();
}

function forget() {
  shown.history.clear();
  shown.lastSample = 0;
  shown.cpuShare = null;
  shown.status = null;
}

function remember(history, now) {
  for (const [name, samples] of Object.entries(history.routes)) {
    const known = shown.history.get(name) ?? [];
    const latest = known.at(-1)?.time ?? 0;
    shown.history.set(name, [...known, ...samples.filter((sample) => sample.time > latest)]);
  }
  for (const [name, samples] of shown.history) {
    shown.history.set(name, samples.filter((sample) => sample.time > now - SECONDS_SHOWN));
  }
  shown.lastSample = history.last;
}

// Showing

function show(status) {
  const before = shown.status;
  if (before && status.time > before.time) {
    shown.cpuShare = (status.process.cpu_seconds - before.process.cpu_seconds) / (status.time - before.time);
  }
  shown.status = status;
  say(element("version"), status.version);
  showVerdict(weighUp(status));
  showRoutes(status);
  showSummary(status);
  messageList.update(status.messages);
  showProcess(status, shown.cpuShare);
  drawCharts();
}

function showVerdict({ mood, sentence, title, notes, state }) {
  document.body.dataset.mood = mood;
  setAttribute(element("verdict-icon"), "href", `#icon-${mood}`);
  say(element("sentence"), sentence);
  const signs = { good: "✓", warning: "!", bad: "✕", unknown: "?" };
  document.title = `${signs[mood]} ${title} · loopbridge`;
  showFavicon(mood);
  showNotes(notes);
  if (shown.spoken !== null && shown.spoken !== state) say(element("announcer"), state);
  shown.spoken = state;
}

function showNotes(notes) {
  const list = element("notes");
  const text = JSON.stringify(notes);
  if (list.dataset.notes === text) return;
  list.dataset.notes = text;
  list.replaceChildren(...notes.map(([mood, words, name]) => {
    const view = shown.routes.get(name);
    return make("li", {}, makeIcon(mood), view ? make("a", { href: `#${view.element.id}` }, words) : words);
  }));
}

const FAVICON_SHAPES = {
  good: ["#1f7a3d", "<circle cx='8' cy='8' r='8'/>", "M4 8.2 7 11l5-6"],
  bad: ["#c4281c", "<path d='M5 0h6l5 5v6l-5 5H5l-5-5V5z'/>", "m5 5 6 6m0-6-6 6"],
  warning: ["#b25b00", "<path d='M8 .5 16 15.5H0z'/>", "M8 5.5v5m0 1.7v1"],
  unknown: ["#66707a", "<circle cx='8' cy='8' r='8'/>", "M5.7 6.2a2.3 2.3 0 1 1 3 2.2Q8 8.7 8 10m0 1.6v1"],
};

function showFavicon(mood) {
  const [colour, shape, sign] = FAVICON_SHAPES[mood];
  const drawing = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><g fill='${colour}'>${shape}</g>`
    + `<path d='${sign}' fill='none' stroke='#fff' stroke-width='1.8'/></svg>`;
  setAttribute(document.querySelector("link[rel=icon]"), "href", `data:image/svg+xml,${encodeURIComponent(drawing)}`);
}

function showSummary(status) {
  const latest = (figure) => sum(status.routes, (route) => (route.latest && figure(route.latest)) ?? 0);
  const carriesHTTP = status.routes.some((route) => route.totals.requests != null);
  showFigures(element("summary"), [
    ["Routes", countText(status.routes.length)],
    ["Clients", countText(sum(status.routes, (route) => route.connections.count))],
    ["Waiting", countText(sum(status.routes, waitingAt))],
    ["To clients", throughputText(latest((sample) => sample.bytes_to_client_per_second))],
    ["To apps", throughputText(latest((sample) => sample.bytes_to_app_per_second))],
    ["Requests", carriesHTTP ? rateText(latest((sample) => sample.requests_per_second)) : undefined],
    ["Failures", rateText(latest((sample) => sample.failures_per_second))],
    ["Processor", shown.cpuShare === null ? undefined : `${Math.round(shown.cpuShare * 100)}${NARROW_SPACE}%`],
    ["Memory", memoryText(status.process.resident_bytes)],
  ]);
}

function showRoutes(status) {
  const names = status.routes.map((route) => route.name);
  for (const [name, view] of shown.routes) {
    if (names.includes(name)) continue;
    visibility.unobserve(view.element);
    sizes.unobserve(view.charts);
    view.element.remove();
    shown.routes.delete(name);
    shown.history.delete(name);
  }
  const section = element("routes");
  status.routes.forEach((route, index) => {
    if (!shown.routes.has(route.name)) addRoute(route.name);
    const view = shown.routes.get(route.name);
    // Heading and the words for no routes come first.
    const there = section.children[index + 2] ?? null;
    if (there !== view.element) section.insertBefore(view.element, there);
    view.update(route, status.time);
  });
  element("no-routes").hidden = names.length > 0;
}

function addRoute(name) {
  shown.routesMade += 1;
  const view = new RouteView(name, shown.routesMade);
  shown.routes.set(name, view);
  visibility.observe(view.element);
  sizes.observe(view.charts);
  view.charts.addEventListener("pointermove", (event) => {
    const plot = event.target.closest(".plot");
    if (!plot || !shown.status) return;
    const { left, width } = plot.getBoundingClientRect();
    moveCursor(latestTime() - Math.round((1 - (event.clientX - left) / width) * SECONDS_SHOWN));
  });
  view.charts.addEventListener("pointerleave", () => moveCursor(null));
  view.charts.addEventListener("blur", () => moveCursor(null));
  view.charts.addEventListener("keydown", moveCursorByKey);
}

/** Charts that nobody sees are not drawn until somebody does. */
const visibility = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const view = [...shown.routes.values()].find((one) => one.element === target);
    if (view) view.isOnScreen = isIntersecting;
  }
  drawCharts();
}, { rootMargin: "200px" });

/** Their coordinates are pixels. */
const sizes = new ResizeObserver(drawCharts);

/** The right edge of all charts. */
function latestTime() {
  return Math.max(...[...shown.history.values()].map((samples) => samples.at(-1)?.time ?? 0), shown.status.time - 2);
}

function drawCharts() {
  if (!shown.status) return;
  const now = latestTime();
  for (const [name, view] of shown.routes) view.draw(shown.history.get(name) ?? [], now, shown.cursorTime);
}

function moveCursor(time) {
  shown.cursorTime = time;
  drawCharts();
}

function moveCursorByKey(event) {
  if (!shown.status || event.altKey || event.ctrlKey || event.metaKey) return;
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30, Home: -SECONDS_SHOWN, End: SECONDS_SHOWN };
  const now = latestTime();
  if (event.key === "Escape") moveCursor(null);
  else if (event.key in steps) {
    const wanted = (shown.cursorTime ?? now) + steps[event.key] * (event.shiftKey ? 10 : 1);
    moveCursor(Math.min(now, Math.max(now - SECONDS_SHOWN + 1, wanted)));
  } else return;
  event.preventDefault();
}

// Whether it is up to date

function showLoss() {
  const since = clockText(asking.lostAt / 1000);
  showVerdict({
    mood: "bad", sentence: `No answer from loopbridge since ${since}`, title: "no answer", notes: [],
    state: "No answer from loopbridge",
  });
}

function showFreshness() {
  const lost = asking.lostAt !== null;
  document.body.dataset.freshness = asking.isPaused ? "paused" : lost ? "lost" : shown.status ? "live" : "loading";
  const words = [asking.isPaused ? "paused" : lost ? "trying again" : shown.status ? "live" : "loading"];
  if (shown.status && words[0] !== "live") words.push(`as of ${clockText(shown.status.time)}`);
  say(element("freshness"), words.join(", "));
}

element("pause").addEventListener("click", () => {
  asking.isPaused = !asking.isPaused;
  say(element("pause"), asking.isPaused ? "Go on" : "Pause");
  goOnOrStop();
});
document.addEventListener("visibilitychange", goOnOrStop);
new LazySection("doctor", "doctor.json", doctorContent);
new LazySection("configuration", "configuration.yaml", configurationContent);
goOnOrStop();
</script>
</body>
</html>

"""#
}
