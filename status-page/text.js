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
