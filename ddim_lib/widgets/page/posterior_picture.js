// Prior, likelihood and posterior as bells over x_s; x_t on a lane above them, x_0 on one below.

import { fixed, short } from "./numbers.js";
import { bell, gauss } from "./plot.js";
import { POSTERIOR } from "./words.js";

const EDGE = 3.5; // of the axis of values
export const LANE = 28; // px: where the points x_t and x_0 lie, from the upper and from the lower edge

export const placeOf = (plot, v) => (plot.width * (v + EDGE)) / (2 * EDGE);
export const valueAt = (plot, px) => (2 * EDGE * px) / plot.width - EDGE;

// given: x_0, x_t and eta; tones: a colour for each of the beliefs.
export function paintBeliefs(plot, { prior, likelihood, posterior, bayes }, { given, t, tones }) {
  const floor = plot.height - 84;
  const tall = floor - 78;
  const least = (1.2 * 2 * EDGE) / plot.width;
  const curve = ({ mean, sd }, peak) =>
    bell(mean, sd, -EDGE, EDGE, least).map(([v, p]) => [placeOf(plot, v), floor - peak * tall * p]);
  paintAxis(plot, floor);
  plot.line(curve(posterior, 1), { fill: tones.posterior, alpha: 0.28 });
  plot.line(curve(likelihood, 0.6), { stroke: tones.likelihood, width: 2 });
  plot.line(curve(prior, 0.6), { stroke: tones.prior, width: 2 });
  const dashed = { stroke: tones.bayes, dash: [4, 4], width: 1.25, alpha: 0.75 };
  if (given.eta < 1) plot.line(curve(bayes, 1), dashed);
  plot.line(curve(posterior, 1), { stroke: tones.posterior, width: 2.5 });
  const above = { y: LANE, to: floor - 0.6 * tall, tone: tones.likelihood };
  const below = { y: plot.height - LANE, to: floor, tone: tones.prior };
  const words = POSTERIOR.point;
  paintPoint(plot, { ...above, v: given.x_t, ...likelihood }, words.x_t(fixed(given.x_t), t));
  paintPoint(plot, { ...below, v: given.x_0, ...prior }, words.x_0(fixed(given.x_0)));
  paintPosterior(plot, posterior, { floor, tall, tone: tones.posterior });
}

function paintAxis(plot, floor) {
  const faint = { stroke: plot.ink, alpha: 0.5 };
  plot.segment(0, floor, plot.width, floor, faint);
  for (let v = -3; v <= 3; v++) {
    const x = placeOf(plot, v);
    plot.segment(x, floor, x, floor + 5, faint);
    const small = { at: "center", alpha: 0.7, size: 12 };
    plot.text(String(v).replace("-", "−"), x, floor + 15, small);
  }
  plot.text(POSTERIOR.axis, plot.width - 4, floor - 11, { at: "right", weight: 600 });
}

// A given point v on its lane y, and where it says that x_s is.
function paintPoint(plot, { v, y, mean, to, tone }, words) {
  const x = placeOf(plot, v);
  plot.segment(0, y, plot.width, y, { stroke: plot.ink, alpha: 0.15 });
  plot.segment(x, y, placeOf(plot, mean), to, { stroke: tone, dash: [2, 4], width: 1.5 });
  plot.dot(x, y, 9, tone);
  const style = { fill: tone, weight: 600, halo: true };
  const fits = x + 16 + plot.wide(words, style) < plot.width - 4;
  plot.text(words, x + (fits ? 16 : -16), y, { ...style, at: fits ? "left" : "right" });
}

// Its mean and width: κ x_t + λ x_0, and σ to either side.
function paintPosterior(plot, { mean, sd }, { floor, tall, tone }) {
  const x = placeOf(plot, mean);
  const y = floor - tall * gauss(1);
  plot.segment(x, floor, x, floor - tall, { stroke: tone, width: 1.25 });
  plot.segment(placeOf(plot, mean - sd), y, placeOf(plot, mean + sd), y, {
    stroke: tone,
    width: 3,
  });
  plot.dot(x, floor, 5, tone);
  const style = { at: "center", fill: tone, weight: 600, halo: true };
  plot.text(POSTERIOR.formula(fixed(mean), short(sd)), x, floor - tall - 14, style);
}
