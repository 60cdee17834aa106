// One step t -> s of a schedule cut into pieces: its amplitudes and coefficients, in words too.

import { coefficients } from "./ddim.js";
import { linearSchedule, T, timesOf } from "./schedule.js";

function fromPowers(powerAt) {
  const alphaBar = new Float64Array(T + 1).fill(1);
  let product = 1;
  for (let t = 1; t <= T; t++) {
    product *= 1 - powerAt(t);
    alphaBar[t] = Math.sqrt(product);
  }
  return alphaBar;
}

const cosine = (t) => Math.cos((((t / T + 0.008) / 1.008) * Math.PI) / 2) ** 2;
const AMPLITUDES = {
  linear: () => linearSchedule(T).alphaBar,
  cosine: () => fromPowers((t) => Math.min(1 - cosine(t) / cosine(t - 1), 0.999)),
  sqrt: () => fromPowers((t) => (0.02 * t) / T),
  exp: () => Float64Array.from({ length: T + 1 }, (_, t) => Math.exp(-5 * (t / T) ** 2)),
};
export const SCHEDULES = {
  linear: "linear (DDPM)",
  cosine: "cosine",
  sqrt: "α = √(1 − 0.02 t/T)",
  exp: "ᾱ = exp(−5 t²/T²)",
};

export function scheduleOf(name) {
  const alphaBar = AMPLITUDES[name]();
  return { T, alphaBar, betaBar: alphaBar.map((a) => Math.sqrt(1 - a * a)) };
}

// The piece that contains t: from the time at or just above it down to the next one.
export function pieceOf(schedule, steps, t) {
  const times = timesOf(schedule, steps, "uniform");
  const i = times.findLastIndex((time) => time >= t);
  return { times, t: times[i], s: times[i + 1] };
}

// What the step t -> s does; correlation: of x_s and x_t given x_0, undefined where s = 0.
export function stepOf(schedule, t, s, eta) {
  const { alphaBar, betaBar } = schedule;
  const alpha = alphaBar[t] / alphaBar[s];
  const { kappa, lambda, sigma } = coefficients(schedule, t, s, eta);
  const correlation = s > 0 ? (kappa * betaBar[t]) / betaBar[s] : undefined;
  return { alpha, beta: Math.sqrt(1 - alpha * alpha), kappa, lambda, sigma, correlation };
}

// --- in words ------------------------------------------------------------------------------------

const minus = (text) => text.replace("-", "−");

// Two places; more where they would tell a number as nought or as one that is neither.
export function short(v) {
  const off = Math.abs(1 - v);
  if (v === 0 || off < 1e-12) return v === 0 ? "0" : "1";
  if (off < 0.005) return v.toFixed(Math.ceil(-Math.log10(off)));
  return minus(Math.abs(v) < 0.0995 ? String(Number(v.toPrecision(2))) : v.toFixed(2));
}

export const fixed = (v) => minus(v.toFixed(2));
export const told = ({ t, s }) => `t = ${t} → s = ${s}`;

const LETTERS = { alpha: "α", kappa: "κ", lambda: "λ", sigma: "σ" };

// The line in words: the step, its numbers, and a last item; a line may break only between items.
export function itemsOf(piece, numbers, last) {
  const items = Object.entries(numbers).map(([name, v]) => `${LETTERS[name]} ${short(v)}`);
  return [told(piece), ...items, last].map((item) => item.replaceAll(" ", "\u00a0")).join(" · ");
}

// --- what may be asked for -----------------------------------------------------------------------

const COUNTS = { t: T, steps: T };
export const MOST_X = 3; // of x_0 and x_t, in data units

// A sentence on what cannot be drawn, or nothing.
export function complaint(setting) {
  for (const [name, high] of Object.entries(COUNTS)) {
    const value = setting[name];
    if (!(Number.isInteger(value) && value >= 1 && value <= high))
      return `need a whole number, 1 <= ${name} <= ${high}, got ${name}=${value}`;
  }
  const ranges = { eta: [0, 1], x_0: [-MOST_X, MOST_X], x_t: [-MOST_X, MOST_X] };
  for (const [name, [low, high]] of Object.entries(ranges)) {
    const value = setting[name];
    if (name in setting && !(Number.isFinite(value) && value >= low && value <= high))
      return `need ${low} <= ${name} <= ${high}, got ${name}=${value}`;
  }
  if ("schedule" in setting && !Object.hasOwn(SCHEDULES, setting.schedule))
    return `need schedule ${Object.keys(SCHEDULES).join(", ")}, got ${setting.schedule}`;
}

// The times of the grid, as a slider over t: it stops at each.
export const timeScale = (times) => ({
  name: "t",
  title: "time t, from data to noise",
  ends: ["0 data", "1000 noise"],
  width: T,
  kind: "noising",
  snaps: true,
  value: (p) =>
    times()
      .slice(0, -1)
      .reduce((best, t) => (Math.abs(t - p) < Math.abs(best - p) ? t : best)),
  place: (t) => t,
  nudge(t, by) {
    const stops = times();
    const i = stops.indexOf(t) - by;
    return stops[Math.min(Math.max(i, 0), stops.length - 2)];
  },
});
