// The paths explorer: many paths at once from noise to data, over the density that they all share.

import {
  apart,
  complaint,
  densityAt,
  floorOf,
  MOST_COUNT,
  MOST_ETA,
  MOST_SEED,
  MOST_START,
  mostEta,
  Paths,
  SPOILT,
  Wiener,
} from "./paths_sampler.js";
import { css, Plot } from "./plot.js";
import { linearSchedule, T } from "./schedule.js";
import { ETA, element, field, Slider, STEPS } from "./sliders.js";
import { StepExplorer } from "./step_explorer.js";

const EDGE = 3.2; // of the axis of values
const DRAWN = 90; // thin paths at most
const MOMENTS = 250; // of a thin path at most
const BUDGET = 14; // ms of walking a frame: the paths that are left walk in the next ones
const BIN = 0.1; // of the histogram of the ends, in data units

const fixed = (v) => v.toFixed(2).replace("-", "−");
const told = (steps) => `${steps} ${steps === 1 ? "step" : "steps"}`;
const LEGEND = {
  density: "exact density",
  thin: `thin: first ${DRAWN} paths`,
  yours: "thick: yours",
  landed: "where all end",
  data: "the data",
};
const DOSE = {
  ...ETA,
  ends: ["0 flow", "1 DDPM", "1.4"],
  width: MOST_ETA,
  kind: "dose",
  nudge: (eta, by) => Math.min(Math.max(Math.round(eta * 100 + by) / 100, 0), MOST_ETA),
};
const START = {
  name: "start",
  title: "x_T, where your path starts",
  ends: [`−${MOST_START}`, `${MOST_START}`],
  low: -MOST_START,
  width: MOST_START,
  value: (p) => Math.round(p * 100) / 100,
  place: (v) => v,
  nudge: (v, by) => Math.min(Math.max(Math.round(v * 100 + 5 * by) / 100, -MOST_START), MOST_START),
};
const COUNT = { ...STEPS, name: "paths", title: "number of paths" };

class PathsExplorer extends StepExplorer {
  constructor(model) {
    const plot = new Plot("paths");
    super(model, "ddim-paths", ["eta", "steps", "start", "count", "seed", "spoilt"], [plot]);
    this.schedule = linearSchedule(T);
    this.floors = {};
    this.eta = new Slider(DOSE, (eta) => this.move({ eta }));
    this.steps = new Slider(STEPS, (steps) => this.move({ steps }));
    this.from = new Slider(START, (start) => this.move({ start }));
    this.count = new Slider(COUNT, (count) => this.move({ count }));
    this.seed = element("input", {
      type: "number",
      min: 0,
      max: MOST_SEED,
      step: 1,
      "aria-label": "seed of the noise",
    });
    this.seed.addEventListener("change", () => this.move({ seed: this.seed.valueAsNumber }));
    this.spoilt = element("input", { type: "checkbox" });
    this.spoilt.addEventListener("change", () => this.move({ spoilt: this.spoilt.checked }));
    this.legend = element("p", { class: "legend", "aria-hidden": "true" });
    this.legend.append(
      ...Object.entries(LEGEND).map(([kind, words]) => element("span", { class: kind }, words)),
    );
    this.pictures.append(this.legend);
    const knobs = [this.steps, this.from, this.count].map((slider) => slider.axis());
    const wrong = `score wrong at t = ${SPOILT.from} … ${SPOILT.to}`;
    const fields = element(
      "div",
      { class: "fields" },
      field("seed", this.seed),
      field(wrong, this.spoilt),
    );
    this.root.append(this.eta.axis(), element("div", { class: "knobs" }, ...knobs, fields));
  }

  complaint(setting) {
    return complaint(setting);
  }

  // What the setting means; the walks themselves are made while it is painted.
  show(setting) {
    const { steps, start, count, seed, spoilt } = setting;
    const most = mostEta(this.schedule, steps);
    const eta = Math.min(setting.eta, most);
    const key = [steps, eta, count, seed, spoilt].join();
    this.given = { ...setting, eta, atMost: setting.eta >= most };
    if (this.key !== key) this.prepare(key, this.given);
    this.mine = this.paths.from(start, this.own.row);
    const dose = `η = ${eta.toFixed(2)}`;
    this.eta.show(eta, this.given.atMost ? `${dose}, the most at ${told(steps)}` : dose);
    this.steps.show(steps, told(steps));
    this.from.show(start, `x_T = ${fixed(start)}`);
    this.count.show(count, `${count} ${count === 1 ? "path" : "paths"}`);
    if (document.activeElement !== this.seed) this.seed.value = seed;
    this.spoilt.checked = spoilt;
    return this.words();
  }

  prepare(key, { steps, eta, count, seed, spoilt }) {
    if (this.sown !== seed) {
      const all = new Wiener(seed, MOST_COUNT + 1);
      Object.assign(this, { sown: seed, chance: all, own: all.of(MOST_COUNT) });
    }
    this.paths = new Paths({ schedule: this.schedule, steps, eta, spoilt });
    const every = Math.ceil(steps / MOMENTS);
    const kept = this.paths.times.map((_, i) => i).filter((i) => i % every === 0 || i === steps);
    Object.assign(this, {
      key,
      kept,
      done: 0,
      crossed: 0,
      lines: [],
      ends: new Float64Array(count),
    });
    this.root.dataset.done = 0;
  }

  // As many more paths as a frame has time for.
  advance() {
    const { count } = this.given;
    for (
      const end = performance.now() + BUDGET;
      this.done < count && performance.now() < end;
      this.done++
    ) {
      const { start, row } = this.chance.of(this.done);
      const all = this.paths.from(start, row);
      const last = all.at(-1);
      if (this.done < DRAWN) this.lines.push(this.kept.map((i) => all[i]));
      this.crossed += start * last < 0;
      this.ends[this.done] = last;
    }
  }

  // The line in words; a line may break only between items.
  words() {
    const { steps, eta, count, atMost } = this.given;
    const whole = this.done === count;
    const items = [told(steps), `η = ${eta.toFixed(2)}${atMost ? " (the most)" : ""}`];
    if (this.done) {
      this.floors[count] ??= floorOf(count);
      const floor = this.floors[count];
      const w1 = apart(this.ends.subarray(0, this.done));
      items.push(`W1 to the data ${whole ? "" : "≈ "}${w1.toFixed(3)} (floor ${floor.toFixed(3)})`);
      items.push(`${((100 * this.crossed) / this.done).toFixed(0)} % change sides`);
    }
    return items.map((item) => item.replaceAll(" ", "\u00a0")).join(" · ");
  }

  // --- the picture ---

  paint(plot) {
    if (this.done < this.given.count) this.advance();
    this.line.textContent = this.words();
    const { start, count } = this.given;
    const mine = `yours from ${fixed(start)} to ${fixed(this.mine.at(-1))}`;
    const { width, height } = plot;
    const strip = Math.max(56, 0.13 * width);
    const box = { left: 24, right: width - strip - 14, top: 10, bottom: height - 36 };
    const x = (t) => box.right - ((box.right - box.left) * t) / T;
    const y = (v) => (box.top + box.bottom) / 2 - ((box.bottom - box.top) * v) / (2 * EDGE);
    this.paintDensity(plot, box);
    this.paintPaths(plot, box, x, y);
    this.paintEnds(plot, box, y, strip);
    this.paintAxes(plot, box, x, y);
    plot.canvas.setAttribute(
      "aria-label",
      `${count} paths from noise to data, ${mine}: ${this.line.textContent}`,
    );
    const tones = {
      density: plot.tones.DATA,
      thin: null,
      yours: plot.tones.NOISE,
      landed: plot.tones.DATA,
      data: null,
    };
    for (const span of this.legend.children) {
      const tone = tones[span.className];
      span.style.setProperty("--tone", tone ? css(tone) : plot.ink);
    }
    if (this.done < count) this.ask();
    this.root.dataset.done = this.done;
  }

  // The root of p_t(x), so that thin parts show: made once a theme, then stretched.
  paintDensity(plot, { left, right, top, bottom }) {
    if (this.heatOf !== plot.dark)
      Object.assign(this, { heatOf: plot.dark, heat: this.heatMap(plot) });
    plot.pen.imageSmoothingEnabled = true;
    plot.pen.drawImage(this.heat, left, top, right - left, bottom - top);
  }

  heatMap({ tones, dark }) {
    const canvas = document.createElement("canvas");
    const columns = 201;
    const rows = 160;
    Object.assign(canvas, { width: columns, height: rows });
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(columns, rows);
    const faint = 255 * (dark ? 0.75 : 0.6);
    const highest = densityAt(this.schedule, 1, 0);
    for (let row = 0, o = 0; row < rows; row++) {
      const v = EDGE - (2 * EDGE * (row + 0.5)) / rows;
      for (let column = 0; column < columns; column++, o += 4) {
        const t = Math.round(T * (1 - column / (columns - 1)));
        const depth = Math.sqrt(densityAt(this.schedule, v, t) / highest);
        image.data.set([...tones.DATA, faint * depth], o);
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  }

  paintPaths(plot, { left, right, top, bottom }, x, y) {
    const { pen } = plot;
    const { times } = this.paths;
    const points = (all, kept) => kept.map((i, k) => [x(times[i]), y(all[k])]);
    pen.save();
    pen.beginPath();
    pen.rect(left - 7, top - 7, right - left + 14, bottom - top + 14);
    pen.clip();
    const thin = {
      stroke: plot.ink,
      width: 0.8,
      alpha: Math.min(0.8, 0.3 + 12 / this.lines.length),
    };
    for (const all of this.lines) plot.line(points(all, this.kept), thin);
    const mine = points(
      [...this.mine],
      times.map((_, i) => i),
    );
    const tone = css(plot.tones.NOISE);
    plot.line(mine, { stroke: plot.dark ? "#111" : "white", width: 5, alpha: 0.85 });
    plot.line(mine, { stroke: tone, width: 2.5 });
    for (const [px, py] of [mine[0], mine.at(-1)]) plot.dot(px, py, 6, tone);
    pen.restore();
    const bold = { weight: 600, halo: true };
    const inside = (v) => Math.min(Math.max(v - 15, top + 10), bottom - 10);
    plot.text(fixed(this.mine[0]), left + 6, inside(mine[0][1]), bold);
    plot.text(fixed(this.mine.at(-1)), right - 6, inside(mine.at(-1)[1]), { ...bold, at: "right" });
  }

  // The ends as bars, the density of the data as a line: its peak fills the strip but for a bit.
  paintEnds(plot, { right }, y, strip) {
    const floor = right + 8;
    const tall = (0.8 * strip) / densityAt(this.schedule, 1, 0);
    const bins = new Map();
    for (let i = 0; i < this.done; i++) {
      const bin = Math.floor(this.ends[i] / BIN);
      bins.set(bin, (bins.get(bin) ?? 0) + 1);
    }
    for (const [bin, many] of bins) {
      const from = y((bin + 1) * BIN) + 0.5;
      const to = y(bin * BIN);
      const long = Math.min((tall * many) / (this.done * BIN), strip);
      plot.box(floor, from, floor + long, to, { fill: css(plot.tones.DATA), alpha: 0.6 });
    }
    const curve = Array.from({ length: 257 }, (_, i) => EDGE - (i * EDGE) / 128);
    const exact = curve.map((v) => [floor + tall * densityAt(this.schedule, v, 0), y(v)]);
    plot.line(exact, { stroke: plot.ink, width: 1.5, dash: [4, 3] });
  }

  // The values at the left, the steps' times as a ruler below, and what its two ends are.
  paintAxes(plot, { left, right, top, bottom }, x, y) {
    plot.box(left, top, right, bottom, { stroke: plot.ink, alpha: 0.3 });
    const small = { alpha: 0.8, size: 12 };
    for (let v = -2; v <= 2; v += 2)
      plot.text(fixed(v).slice(0, -3), left - 5, y(v), { ...small, at: "right" });
    const { times } = this.paths;
    const dense = times.length / (right - left);
    const style = {
      stroke: plot.ink,
      alpha: Math.min(1, 0.35 / dense) * 0.8,
      width: Math.min(1, 0.5 / dense),
    };
    for (const t of times) plot.segment(x(t), bottom, x(t), bottom + 7, style);
    plot.text(`noise, t = ${T}`, left, bottom + 21, small);
    plot.text("t = 0, data", right, bottom + 21, { ...small, at: "right" });
    plot.text("ends", right + 8, bottom + 21, small);
  }
}

function render({ model, el }) {
  const explorer = new PathsExplorer(model);
  el.append(explorer.root);
  return explorer.start();
}

export default { render };
