// One step t -> s of a schedule cut into pieces: its amplitudes and coefficients.

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
