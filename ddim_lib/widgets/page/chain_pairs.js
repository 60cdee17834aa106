// Pairs (x_t, x_s) given x_0 = 0: the line x_s = κ x_t, a band of ±σ, the 2σ ellipse, both marginals.

import { Noise } from "./chance.js";
import { colour } from "./colours.js";
import { short } from "./numbers.js";
import { bell, css } from "./plot.js";
import { T } from "./schedule.js";
import { CHAIN } from "./words.js";

const PAIRS = 400;
const REACH = 3.2; // of the picture, in standard deviations of x_t
const STRIP = 40; // px: the room of a marginal

export function drawsOf() {
  const draws = new Float64Array(2 * PAIRS);
  new Noise(3, PAIRS).fill(0, PAIRS, draws);
  return draws;
}

export function paintPairs(plot, { piece, step, schedule, draws }) {
  const view = viewOf(plot, schedule.betaBar[piece.t]);
  const { left, top, side } = view;
  plot.box(left, top, left + side, top + side, { stroke: plot.ink, alpha: 0.3 });
  plot.within([left, top, side, side], () =>
    paintCloud(plot, view, { piece, step, schedule, draws }),
  );
  paintMarginals(plot, view, piece, schedule);
  paintWords(plot, view, piece.s > 0);
}

// The square that shows -reach … reach both ways, as large as the canvas allows.
function viewOf({ width, height }, across) {
  const side = Math.min(width - STRIP - 24, height - STRIP - 30);
  const left = (width - side - STRIP + 24) / 2;
  const top = STRIP + 4;
  const reach = REACH * across;
  const half = side / 2;
  const x = (v) => left + half + (half * v) / reach;
  const y = (v) => top + half - (half * v) / reach;
  return { left, top, side, half, reach, x, y };
}

function paintCloud(plot, { x, y, reach }, { piece, step, schedule, draws }) {
  const { kappa, sigma, correlation: r = 0 } = step;
  const across = schedule.betaBar[piece.t];
  const upward = schedule.betaBar[piece.s];
  const middle = css(plot.tones.MIDDLE);
  const edge = (v) => [
    [x(-reach), y(-kappa * reach + v)],
    [x(reach), y(kappa * reach + v)],
  ];
  plot.line([...edge(sigma), ...edge(-sigma).reverse()], { fill: middle, alpha: 0.16 });
  const left = Math.sqrt(Math.max(1 - r * r, 0)); // of x_s, once x_t is known
  const place = (u, v) => [x(across * u), y(upward * (r * u + left * v))];
  for (let i = 0; i < PAIRS; i++) {
    const [px, py] = place(draws[2 * i], draws[2 * i + 1]);
    plot.pen.globalAlpha = 0.55;
    plot.dot(px, py, 1.7, plot.ink, null);
  }
  plot.pen.globalAlpha = 1;
  plot.line(edge(0), { stroke: middle, width: 2 });
  const angles = Array.from({ length: 121 }, (_, i) => (Math.PI * i) / 60);
  const ellipse = angles.map((a) => place(2 * Math.cos(a), 2 * Math.sin(a)));
  plot.line(ellipse, { stroke: plot.ink, width: 1.25 });
}

function paintMarginals(plot, { x, y, left, top, side, reach }, { t, s }, { betaBar }) {
  const least = (2 * reach) / side;
  const tall = STRIP - 8;
  const bellAt = (time) => bell(0, betaBar[time], -reach, reach, least);
  const over = bellAt(t).map(([v, p]) => [x(v), top - 3 - tall * p]);
  const beside = bellAt(s).map(([v, p]) => [left + side + 3 + tall * p, y(v)]);
  for (const [curve, time] of [
    [over, t],
    [beside, s],
  ]) {
    const tone = css(colour(1 - time / T, plot.dark));
    plot.line(curve, { fill: tone, alpha: 0.25 });
    plot.line(curve, { stroke: tone, width: 1.5 });
  }
}

function paintWords(plot, { left, top, side, half, reach }, moves) {
  const small = { alpha: 0.7, size: 12 };
  const right = { ...small, at: "right" };
  const under = top + side + 14;
  const over = top - STRIP / 2 - 8;
  plot.text(CHAIN.axes[0], left + half, under, { at: "center", weight: 600 });
  plot.text(`−${short(reach)}`, left, under, small);
  plot.text(short(reach), left + side, under, right);
  plot.text(CHAIN.axes[1], left - 6, top + half, { at: "right", weight: 600 });
  plot.text(CHAIN.given, left + side - 8, top + side - 14, { ...right, halo: true });
  plot.text(CHAIN.alone[0], left, over, small);
  plot.text(CHAIN.alone[1], left + side + STRIP - 4, over, right);
  const tone = css(plot.tones.MIDDLE);
  const what = moves ? CHAIN.line : CHAIN.last;
  plot.text(what, left + 8, top + 14, { fill: tone, size: 12, halo: true });
}
