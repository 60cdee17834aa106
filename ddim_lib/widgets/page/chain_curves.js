// The amplitudes of a schedule over time, cut into pieces.

import { css } from "./plot.js";
import { T } from "./schedule.js";
import { CHAIN } from "./words.js";

const SMALL = { alpha: 0.7, size: 12 };

// other: a schedule to compare with, dashed, or none.
export function paintCurves(plot, { piece, schedule, other }) {
  const box = { left: 30, right: plot.width - 12, top: 30, bottom: plot.height - 46 };
  const x = (t) => box.left + ((box.right - box.left) * t) / T;
  const y = (v) => box.bottom - (box.bottom - box.top) * v;
  const { NOISE: noise, DATA: data } = plot.tones;
  paintFrame(plot, box, piece, x, y);
  plot.ruler(piece.times, x, box.bottom, 8);
  paintTimes(plot, piece, x, box.bottom);
  const curve = (values, style) =>
    plot.line(
      Array.from(values, (v, i) => [x(i), y(v)]),
      style,
    );
  for (const values of other ? [other.alphaBar, other.betaBar] : [])
    curve(values, { stroke: plot.ink, alpha: 0.45, dash: [3, 4], width: 1.25 });
  for (const [values, tone] of [
    [schedule.betaBar, noise],
    [schedule.alphaBar, data],
  ]) {
    curve(values, { stroke: css(tone), width: 2.5 });
    for (const time of [piece.s, piece.t]) plot.dot(x(time), y(values[time]), 4.5, css(tone));
  }
  const above = box.top - 16;
  plot.text(CHAIN.signal, box.left, above, { fill: css(data), weight: 600 });
  plot.text(CHAIN.noise, box.right, above, { at: "right", fill: css(noise), weight: 600 });
  const middle = (box.left + box.right) / 2;
  if (other) plot.text(CHAIN.dashed, middle, above, { ...SMALL, at: "center" });
}

// The piece as a band, and three heights.
function paintFrame(plot, { left, right, top, bottom }, { t, s }, x, y) {
  const thin = Math.max(1.5 - x(t) + x(s), 0); // a piece of a thousand is a hair wide
  plot.box(x(s) - thin, top, x(t), bottom, { fill: css(plot.tones.MIDDLE, 0.2) });
  for (const v of [0, 0.5, 1]) {
    plot.segment(left, y(v), right, y(v), { stroke: plot.ink, alpha: v ? 0.15 : 0.5 });
    plot.text(String(v), left - 6, y(v), { ...SMALL, at: "right" });
  }
}

// The times of this piece by name, and what the ends of the ruler are.
function paintTimes(plot, { t, s }, x, bottom) {
  for (const time of [s, t])
    plot.segment(x(time), bottom, x(time), bottom + 11, { stroke: plot.ink, width: 2 });
  paintNames(plot, { t, s }, x, bottom + 20);
  plot.text(CHAIN.ends[0], x(0), bottom + 37, SMALL);
  plot.text(CHAIN.ends[1], x(T), bottom + 37, { ...SMALL, at: "right" });
}

// The names of t and s under their ticks, moved apart and into the canvas.
function paintNames(plot, { t, s }, x, y) {
  const bold = { weight: 600 };
  const words = [CHAIN.time("s", s), CHAIN.time("t", t)];
  const [ws, wt] = words.map((name) => plot.wide(name, bold));
  const gap = 10;
  const most = plot.width - 2 - wt - gap - ws;
  const left = Math.min(Math.max(x(s) + 2 - ws, 2), most);
  const right = Math.min(Math.max(x(t) - 2, left + ws + gap), plot.width - 2 - wt);
  plot.text(words[0], left, y, bold);
  plot.text(words[1], right, y, bold);
}
