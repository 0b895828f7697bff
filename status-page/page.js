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
