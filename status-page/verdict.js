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
