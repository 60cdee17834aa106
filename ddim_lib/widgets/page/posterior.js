// The posterior explorer: between x_0 and x_t stands x_s; what each says of it, and both together.

import { bell, css, gauss, Plot } from "./plot.js";
import { ETA, element, Slider, STEPS } from "./sliders.js";
import {
  complaint,
  fixed,
  itemsOf,
  MOST_X,
  pieceOf,
  scheduleOf,
  short,
  stepOf,
  timeScale,
  told,
} from "./step.js";
import { StepExplorer } from "./step_explorer.js";

const EDGE = 3.5; // of the axis of values
const LANE = 28; // px: where the points x_t and x_0 lie, from the upper and from the lower edge
const GRIP = 30; // px: a hand this near to a point takes it

const LEGEND = {
  likelihood: "likelihood q(xₜ | xₛ)",
  prior: "prior q(xₛ | x₀)",
  posterior: "posterior q(xₛ | xₜ, x₀)",
  bayes: "Bayes' posterior, η = 1",
};
const named = { x_0: "x₀", x_t: "xₜ" };
const valueScale = (name, title) => ({
  name: named[name],
  title,
  ends: [`−${MOST_X}`, `${MOST_X}`],
  low: -MOST_X,
  width: MOST_X,
  value: (p) => Math.round(p * 100) / 100,
  place: (v) => v,
  nudge: (v, by) => Math.min(Math.max(Math.round(v * 100 + 5 * by) / 100, -MOST_X), MOST_X),
});

class PosteriorExplorer extends StepExplorer {
  constructor(model) {
    const plot = new Plot("bayes");
    super(model, "ddim-posterior", ["t", "steps", "x_0", "x_t", "eta"], [plot]);
    this.schedule = scheduleOf("linear");
    this.legend = element("p", { class: "legend", "aria-hidden": "true" });
    const entries = Object.entries(LEGEND);
    this.legend.append(...entries.map(([kind, words]) => element("span", { class: kind }, words)));
    this.eta = new Slider(ETA, (eta) => this.move({ eta }));
    this.x_t = new Slider(valueScale("x_t", "x_t, the noisy value"), (x_t) => this.move({ x_t }));
    this.x_0 = new Slider(valueScale("x_0", "x_0, the clean value"), (x_0) => this.move({ x_0 }));
    this.t = new Slider(
      timeScale(() => this.piece.times),
      (t) => this.move({ t }),
    );
    this.steps = new Slider(STEPS, (steps) => this.move({ steps }));
    const knobs = [this.x_t, this.x_0, this.t, this.steps].map((slider) => slider.axis());
    this.pictures.append(this.legend);
    this.root.append(this.eta.axis(), element("div", { class: "knobs" }, ...knobs));
    this.listen(plot.canvas);
  }

  complaint(setting) {
    return complaint(setting);
  }

  show({ t, steps, x_0, x_t, eta }) {
    this.piece = pieceOf(this.schedule, steps, t);
    this.given = { x_0, x_t, eta };
    this.step = stepOf(this.schedule, this.piece.t, this.piece.s, eta);
    this.believed = beliefs(this.schedule, this.piece, this.given);
    this.t.show(this.piece.t, told(this.piece));
    this.steps.show(steps, `${steps} ${steps === 1 ? "step" : "steps"}`);
    this.eta.show(eta, `η = ${eta.toFixed(2)}`);
    for (const [name, value] of [
      ["x_0", x_0],
      ["x_t", x_t],
    ])
      this[name].show(value, `${name} = ${fixed(value)}`);
    const { kappa, lambda, sigma } = this.step;
    const { mean, sd } = this.believed.posterior;
    const line = itemsOf(
      this.piece,
      { kappa, lambda, sigma },
      `xₛ = ${fixed(mean)} ± ${short(sd)}`,
    );
    const what = `What x_0 = ${fixed(x_0)} and x_t = ${fixed(x_t)} say of x_s, η = ${eta.toFixed(2)}`;
    this.plots[0].canvas.setAttribute("aria-label", `${what}: ${line}`);
    return line;
  }

  // --- the hand on the points in the picture ---

  listen(canvas) {
    const value = (event) => {
      const x = this.value(event.clientX - canvas.getBoundingClientRect().left);
      return Math.round(Math.min(Math.max(x, -MOST_X), MOST_X) * 100) / 100;
    };
    canvas.addEventListener("pointerdown", (event) => {
      this.held = this.near(event);
      if (this.held) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      canvas.style.cursor = this.held || this.near(event) ? "grab" : "";
      if (this.held) this.move({ [this.held]: value(event) });
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => (this.held = null));
  }

  near(event) {
    const [plot] = this.plots;
    const box = plot.canvas.getBoundingClientRect();
    const places = { x_t: LANE, x_0: plot.height - LANE };
    return Object.keys(places).find((name) => {
      const dx = event.clientX - box.left - this.place(this.given[name]);
      return Math.hypot(dx, event.clientY - box.top - places[name]) < GRIP;
    });
  }

  place(v) {
    return (this.plots[0].width * (v + EDGE)) / (2 * EDGE);
  }

  value(px) {
    return (2 * EDGE * px) / this.plots[0].width - EDGE;
  }

  // --- the picture ---

  paint(plot) {
    const { tones, height } = plot;
    const floor = height - 84;
    const tall = floor - 78;
    const { prior, likelihood, posterior, bayes } = this.believed;
    const least = (1.2 * 2 * EDGE) / plot.width;
    const curve = ({ mean, sd }, peak) =>
      bell(mean, sd, -EDGE, EDGE, least).map(([v, p]) => [this.place(v), floor - peak * tall * p]);
    this.paintAxis(plot, floor);
    const tone = {
      bayes: plot.ink,
      prior: css(tones.DATA),
      likelihood: css(tones.NOISE),
      posterior: css(tones.MIDDLE),
    };
    this.legend.lastChild.hidden = this.given.eta === 1;
    for (const span of this.legend.children) span.style.setProperty("--tone", tone[span.className]);
    plot.line(curve(posterior, 1), { fill: tone.posterior, alpha: 0.28 });
    plot.line(curve(likelihood, 0.6), { stroke: tone.likelihood, width: 2 });
    plot.line(curve(prior, 0.6), { stroke: tone.prior, width: 2 });
    if (this.given.eta < 1)
      plot.line(curve(bayes, 1), { stroke: plot.ink, dash: [4, 4], width: 1.25, alpha: 0.75 });
    plot.line(curve(posterior, 1), { stroke: tone.posterior, width: 2.5 });
    this.paintPoint(plot, "x_t", LANE, likelihood, floor - 0.6 * tall, tone.likelihood);
    this.paintPoint(plot, "x_0", height - LANE, prior, floor, tone.prior);
    this.paintPosterior(plot, floor, tall, tone.posterior);
  }

  paintAxis(plot, floor) {
    plot.segment(0, floor, plot.width, floor, { stroke: plot.ink, alpha: 0.5 });
    for (let v = -3; v <= 3; v++) {
      plot.segment(this.place(v), floor, this.place(v), floor + 5, {
        stroke: plot.ink,
        alpha: 0.5,
      });
      plot.text(String(v).replace("-", "−"), this.place(v), floor + 15, {
        at: "center",
        alpha: 0.7,
        size: 12,
      });
    }
    plot.text("xₛ", plot.width - 4, floor - 11, { at: "right", weight: 600 });
  }

  // A given point on its lane, and where it says that x_s is.
  paintPoint(plot, name, y, { mean }, to, tone) {
    const x = this.place(this.given[name]);
    plot.segment(0, y, plot.width, y, { stroke: plot.ink, alpha: 0.15 });
    plot.segment(x, y, this.place(mean), to, { stroke: tone, dash: [2, 4], width: 1.5 });
    plot.dot(x, y, 9, tone);
    const time = name === "x_t" ? `  (t = ${this.piece.t})` : "";
    const style = { fill: tone, weight: 600, halo: true };
    const words = `${named[name]} = ${fixed(this.given[name])}${time}`;
    const fits = x + 16 + plot.wide(words, style) < plot.width - 4;
    plot.text(words, x + (fits ? 16 : -16), y, { ...style, at: fits ? "left" : "right" });
  }

  // Its mean and width: κ x_t + λ x_0, and σ to either side.
  paintPosterior(plot, floor, tall, tone) {
    const { mean, sd } = this.believed.posterior;
    const x = this.place(mean);
    const y = floor - tall * gauss(1);
    plot.segment(x, floor, x, floor - tall, { stroke: tone, width: 1.25 });
    plot.segment(this.place(mean - sd), y, this.place(mean + sd), y, { stroke: tone, width: 3 });
    plot.dot(x, floor, 5, tone);
    const words = `κ xₜ + λ x₀ = ${fixed(mean)}, σ = ${short(sd)}`;
    plot.text(words, x, floor - tall - 14, { at: "center", fill: tone, weight: 600, halo: true });
  }
}

// What each says of x_s, as a mean and a standard deviation. The likelihood is that of
// x_t = α x_s + β ε, read as a function of x_s.
export function beliefs(schedule, { t, s }, { x_0, x_t, eta }) {
  const family = (share) => {
    const { kappa, lambda, sigma } = stepOf(schedule, t, s, share);
    return { mean: kappa * x_t + lambda * x_0, sd: sigma };
  };
  const { alpha, beta } = stepOf(schedule, t, s, 1);
  return {
    prior: { mean: schedule.alphaBar[s] * x_0, sd: schedule.betaBar[s] },
    likelihood: { mean: x_t / alpha, sd: beta / alpha },
    posterior: family(eta),
    bayes: family(1),
  };
}

function render({ model, el }) {
  const explorer = new PosteriorExplorer(model);
  el.append(explorer.root);
  return explorer.start();
}

export default { render };
