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
