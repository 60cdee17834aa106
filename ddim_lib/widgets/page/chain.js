// The chain explorer: a schedule cut into pieces, and what one piece makes of two neighbours.

import { Noise } from "./chance.js";
import { colour } from "./colours.js";
import { bell, css, Plot } from "./plot.js";
import { T } from "./schedule.js";
import { choice, ETA, element, Slider, STEPS } from "./sliders.js";
import {
  complaint,
  itemsOf,
  pieceOf,
  SCHEDULES,
  scheduleOf,
  short,
  stepOf,
  timeScale,
  told,
} from "./step.js";
import { StepExplorer } from "./step_explorer.js";

const PAIRS = 400;
const REACH = 3.2; // of the neighbours' picture, in standard deviations of x_t

class ChainExplorer extends StepExplorer {
  constructor(model) {
    const curves = new Plot("curves");
    const pairs = new Plot("pairs");
    super(model, "ddim-chain", ["schedule", "steps", "t", "eta"], [curves, pairs]);
    Object.assign(this, { curves, pairs, linear: scheduleOf("linear") });
    this.draws = new Float64Array(2 * PAIRS);
    new Noise(3, PAIRS).fill(0, PAIRS, this.draws);
    this.t = new Slider(
      timeScale(() => this.piece.times),
      (t) => this.move({ t }),
    );
    this.steps = new Slider(STEPS, (steps) => this.move({ steps }));
    this.eta = new Slider(ETA, (eta) => this.move({ eta }));
    this.choice = choice("schedule", SCHEDULES, (schedule) => this.move({ schedule }));
    const menu = element("label", { class: "menu" }, element("span", {}, "schedule"), this.choice);
    const knobs = [this.t, this.steps, this.eta].map((slider) => slider.axis());
    this.root.append(element("div", { class: "knobs" }, ...knobs, menu));
  }

  complaint(setting) {
    return complaint(setting);
  }

  show({ schedule, steps, t, eta }) {
    if (this.name !== schedule)
      Object.assign(this, { name: schedule, schedule: scheduleOf(schedule) });
    this.piece = pieceOf(this.schedule, steps, t);
    this.step = stepOf(this.schedule, this.piece.t, this.piece.s, eta);
    this.t.show(this.piece.t, told(this.piece));
    this.steps.show(steps, `${steps} ${steps === 1 ? "step" : "steps"}`);
    this.eta.show(eta, `η = ${eta.toFixed(2)}`);
    this.choice.value = schedule;
    const { alpha, kappa, lambda, sigma, correlation } = this.step;
    const tie = correlation === undefined ? "xₛ is x₀" : `correlation ${short(correlation)}`;
    const line = itemsOf(this.piece, { alpha, kappa, lambda, sigma }, tie);
    const cut = `Signal and noise over time, ${SCHEDULES[schedule]}, cut into ${steps}`;
    this.curves.canvas.setAttribute("aria-label", `${cut}: ${line}`);
    this.pairs.canvas.setAttribute(
      "aria-label",
      `Pairs of neighbours, η = ${eta.toFixed(2)}: ${line}`,
    );
    return line;
  }

  paint(plot) {
    if (plot === this.curves) this.paintCurves(plot);
    else this.paintPairs(plot);
  }

  paintCurves(plot) {
    const { width, height } = plot;
    const left = 30;
    const right = width - 12;
    const top = 30;
    const bottom = height - 46;
    const x = (t) => left + ((right - left) * t) / T;
    const y = (v) => bottom - (bottom - top) * v;
    const { t, s } = this.piece;
    const { NOISE: noise, DATA: data, MIDDLE: middle } = plot.tones;
    const thin = Math.max(1.5 - x(t) + x(s), 0); // a piece of a thousand is a hair wide
    plot.box(x(s) - thin, top, x(t), bottom, { fill: css(middle, 0.2) });
    for (const v of [0, 0.5, 1]) {
      plot.segment(left, y(v), right, y(v), { stroke: plot.ink, alpha: v ? 0.15 : 0.5 });
      plot.text(String(v), left - 6, y(v), { at: "right", alpha: 0.7, size: 12 });
    }
    this.paintTimes(plot, x, bottom);
    const curve = (values, style) =>
      plot.line(
        Array.from(values, (v, i) => [x(i), y(v)]),
        style,
      );
    if (this.name !== "linear")
      for (const values of [this.linear.alphaBar, this.linear.betaBar])
        curve(values, { stroke: plot.ink, alpha: 0.45, dash: [3, 4], width: 1.25 });
    for (const [values, tone] of [
      [this.schedule.betaBar, noise],
      [this.schedule.alphaBar, data],
    ]) {
      curve(values, { stroke: css(tone), width: 2.5 });
      for (const time of [s, t]) plot.dot(x(time), y(values[time]), 4.5, css(tone));
    }
    plot.text("ᾱ signal", left, top - 16, { fill: css(data), weight: 600 });
    plot.text("β̄ noise", right, top - 16, { at: "right", fill: css(noise), weight: 600 });
    const note = { at: "center", alpha: 0.7, size: 12 };
    if (this.name !== "linear") plot.text("dashed: linear", (left + right) / 2, top - 16, note);
  }

  // The times of all pieces as a ruler, those of this piece by name.
  paintTimes(plot, x, bottom) {
    const { times, t, s } = this.piece;
    const dense = times.length / (x(T) - x(0));
    const style = {
      stroke: plot.ink,
      alpha: Math.min(1, 0.35 / dense) * 0.8,
      width: Math.min(1, 0.5 / dense),
    };
    for (const time of times) plot.segment(x(time), bottom, x(time), bottom + 8, style);
    for (const time of [s, t])
      plot.segment(x(time), bottom, x(time), bottom + 11, { stroke: plot.ink, width: 2 });
    this.paintNames(plot, x, bottom + 20);
    plot.text("data", x(0), bottom + 37, { alpha: 0.7, size: 12 });
    plot.text("noise", x(T), bottom + 37, { at: "right", alpha: 0.7, size: 12 });
  }

  // The names of t and s under their ticks, moved apart and into the canvas.
  paintNames(plot, x, y) {
    const bold = { weight: 600 };
    const words = [this.piece.s, this.piece.t].map((time, i) => `${"st"[i]} = ${time}`);
    const [ws, wt] = words.map((name) => plot.wide(name, bold));
    const gap = 10;
    const most = plot.width - 2 - wt - gap - ws;
    const left = Math.min(Math.max(x(this.piece.s) + 2 - ws, 2), most);
    const right = Math.min(Math.max(x(this.piece.t) - 2, left + ws + gap), plot.width - 2 - wt);
    plot.text(words[0], left, y, bold);
    plot.text(words[1], right, y, bold);
  }

  // Pairs (x_t, x_s) given x_0 = 0: the line x_s = κ x_t, a band of ±σ, the 2σ ellipse, both marginals.
  paintPairs(plot) {
    const { width, height } = plot;
    const strip = 40;
    const side = Math.min(width - strip - 24, height - strip - 30);
    const left = (width - side - strip + 24) / 2;
    const top = strip + 4;
    const { t, s } = this.piece;
    const { betaBar } = this.schedule;
    const { kappa, sigma, correlation: r = 0 } = this.step;
    const { pen } = plot;
    const middle = css(plot.tones.MIDDLE);
    const across = betaBar[t];
    const upward = betaBar[s];
    const reach = REACH * across;
    const half = side / 2;
    const x = (v) => left + half + (half * v) / reach;
    const y = (v) => top + half - (half * v) / reach;
    const right = left + side;
    const bottom = top + side;
    plot.box(left, top, right, bottom, { stroke: plot.ink, alpha: 0.3 });
    pen.save();
    pen.beginPath();
    pen.rect(left, top, side, side);
    pen.clip();
    const edge = (v) => [
      [x(-reach), y(-kappa * reach + v)],
      [x(reach), y(kappa * reach + v)],
    ];
    plot.line([...edge(sigma), ...edge(-sigma).reverse()], { fill: middle, alpha: 0.16 });
    const place = (u, v) => [
      x(across * u),
      y(upward * (r * u + Math.sqrt(Math.max(1 - r * r, 0)) * v)),
    ];
    for (let i = 0; i < PAIRS; i++) {
      const [px, py] = place(this.draws[2 * i], this.draws[2 * i + 1]);
      pen.globalAlpha = 0.55;
      plot.dot(px, py, 1.7, plot.ink, null);
    }
    pen.globalAlpha = 1;
    plot.line(edge(0), { stroke: middle, width: 2 });
    const angles = Array.from({ length: 121 }, (_, i) => (Math.PI * i) / 60);
    plot.line(
      angles.map((a) => place(2 * Math.cos(a), 2 * Math.sin(a))),
      { stroke: plot.ink, width: 1.25 },
    );
    pen.restore();
    this.paintMarginals(plot, { x, y, left, top, side, strip, reach });
    const small = { alpha: 0.7, size: 12 };
    const under = top + side + 14;
    plot.text("xₜ", left + half, under, { at: "center", weight: 600 });
    plot.text(`−${short(reach)}`, left, under, small);
    plot.text(short(reach), left + side, under, { ...small, at: "right" });
    plot.text("xₛ", left - 6, top + half, { at: "right", weight: 600 });
    plot.text("given x₀ = 0", left + side - 8, top + side - 14, {
      ...small,
      at: "right",
      halo: true,
    });
    plot.text("xₜ alone", left, top - strip / 2 - 8, small);
    plot.text("xₛ alone", left + side + strip + 4, top - strip / 2 - 8, { ...small, at: "right" });
    plot.text(s ? "line κ xₜ, band ±σ" : "xₛ = x₀", left + 8, top + 14, {
      fill: middle,
      size: 12,
      halo: true,
    });
  }

  paintMarginals(plot, { x, y, left, top, side, strip, reach }) {
    const { t, s } = this.piece;
    const { betaBar } = this.schedule;
    const least = (2 * reach) / side;
    const tone = (time) => css(colour(1 - time / T, plot.dark));
    const tall = strip - 8;
    const over = bell(0, betaBar[t], -reach, reach, least).map(([v, p]) => [
      x(v),
      top - 3 - tall * p,
    ]);
    const beside = bell(0, betaBar[s], -reach, reach, least).map(([v, p]) => [
      left + side + 3 + tall * p,
      y(v),
    ]);
    for (const [curve, time] of [
      [over, t],
      [beside, s],
    ]) {
      plot.line(curve, { fill: tone(time), alpha: 0.25 });
      plot.line(curve, { stroke: tone(time), width: 1.5 });
    }
  }
}

function render({ model, el }) {
  const explorer = new ChainExplorer(model);
  el.append(explorer.root);
  return explorer.start();
}

export default { render };
