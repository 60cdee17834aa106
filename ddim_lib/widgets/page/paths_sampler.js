// Paths of DDIM's family from noise to two heaps on the line, with their exact score: every path has
// one Wiener process for any number of steps, so that the same path is seen finer or coarser.

import { Noise } from "./chance.js";
import { coefficients } from "./ddim.js";
import { linearSchedule, T, timesOf } from "./schedule.js";

const STD = 0.15; // of each heap; they stand at -1 and at +1: ddim_lib.data.two_spikes()
export const MOST_ETA = 1.4;
export const MOST_START = 3;
export const MOST_COUNT = 1000;

// p_t(x), and d/dx log p_t(x): the heaps have moved to ±ᾱ and spread to the variance v.
const varianceAt = ({ alphaBar, betaBar }, t) => (alphaBar[t] * STD) ** 2 + betaBar[t] ** 2;

export function densityAt(schedule, x, t) {
  const a = schedule.alphaBar[t];
  const v = varianceAt(schedule, t);
  const bells = Math.exp((-0.5 * (x - a) ** 2) / v) + Math.exp((-0.5 * (x + a) ** 2) / v);
  return bells / Math.sqrt(8 * Math.PI * v);
}

const pull = (x, a, v) => (a * Math.tanh((a * x) / v) - x) / v;

export const scoreAt = (schedule, x, t) => pull(x, schedule.alphaBar[t], varianceAt(schedule, t));

// The largest η that the family has at so many steps: σ <= β̄_s in each of them.
export function mostEta(schedule, steps) {
  const { alphaBar, betaBar } = schedule;
  const times = timesOf(schedule, steps, "uniform");
  let most = MOST_ETA;
  for (let i = 0; i < steps - 1; i++) {
    const fresh = Math.sqrt(1 - (alphaBar[times[i]] / alphaBar[times[i + 1]]) ** 2);
    most = Math.min(most, betaBar[times[i]] / fresh);
  }
  return most;
}

// --- chance --------------------------------------------------------------------------------------

// Where each path starts, and its Wiener process: row[k] is w after k of the finest steps, T -> T - k.
export class Wiener {
  constructor(seed, count) {
    this.noise = new Noise(seed, count);
    this.known = [];
  }

  of(i) {
    this.known[i] ??= this.draw(i);
    return this.known[i];
  }

  draw(i) {
    const pair = new Float64Array(2);
    const row = new Float64Array(T + 1);
    this.noise.fill(i, 1, pair);
    const start = pair[0];
    for (let k = 0; k < T; k++) {
      if (k % 2 === 0) this.noise.fill(i, 1, pair);
      row[k + 1] = row[k] + pair[k % 2];
    }
    return { start, row };
  }
}

// --- the walk: as ddim_lib/ddim.py and ddim_lib/exact.py -----------------------------------------

// spoilt: between these times ε̂ is ε* and a wave, sin(4x).
const WAVE = 0.3;
export const SPOILT = { from: 400, to: 800 };

export class Paths {
  constructor({ schedule, steps, eta, spoilt }) {
    const times = timesOf(schedule, steps, "uniform");
    this.times = times;
    this.pieces = times.slice(0, -1).map((t, i) => {
      const s = times[i + 1];
      const a = schedule.alphaBar[t];
      const b = schedule.betaBar[t];
      const wave = spoilt && t >= SPOILT.from && t <= SPOILT.to ? WAVE : 0;
      const { kappa, lambda, sigma } = coefficients(schedule, t, s, eta);
      return {
        t,
        s,
        a,
        b,
        v: varianceAt(schedule, t),
        wave,
        kappa,
        lambda,
        kick: sigma / Math.sqrt(t - s),
      };
    });
  }

  // x at every time. The kick of a long step is the sum of the short ones' in it, over the root of
  // their number: a unit normal again.
  from(start, row) {
    const all = new Float64Array(this.pieces.length + 1);
    let x = start;
    all[0] = x;
    this.pieces.forEach(({ t, s, a, b, v, wave, kappa, lambda, kick }, i) => {
      const eps = wave * Math.sin(4 * x) - b * pull(x, a, v);
      x = kappa * x + (lambda * (x - b * eps)) / a + kick * (row[T - s] - row[T - t]);
      all[i + 1] = x;
    });
    return all;
  }
}

// --- distance ------------------------------------------------------------------------------------

const CELLS = 8000;
const REACH = 2.5; // beyond it there are no data
const CUMULATED = (() => {
  const schedule = linearSchedule(T);
  const sums = new Float64Array(CELLS + 1);
  const width = (2 * REACH) / CELLS;
  const p = (i) => densityAt(schedule, i * width - REACH, 0);
  for (let i = 0; i < CELLS; i++) sums[i + 1] = sums[i] + ((p(i) + p(i + 1)) * width) / 2;
  return sums.map((sum) => sum / sums[CELLS]);
})();

// The value of the data below which a share of them lies.
export function quantile(share) {
  let low = 0;
  let high = CELLS;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (CUMULATED[middle] <= share) low = middle;
    else high = middle;
  }
  const rest = (share - CUMULATED[low]) / (CUMULATED[high] - CUMULATED[low]);
  return ((low + rest) * 2 * REACH) / CELLS - REACH;
}

const quantilesOf = (n) => Float64Array.from({ length: n }, (_, i) => quantile((i + 0.5) / n));

// W1: the mean gap of the sorted ends to the data's own quantiles.
export function apart(ends, quantiles = quantilesOf(ends.length)) {
  const sorted = Float64Array.from(ends).sort();
  return sorted.reduce((sum, x, i) => sum + Math.abs(x - quantiles[i]), 0) / sorted.length;
}

// How far as many draws of the data themselves are, in the mean over some tries.
export function floorOf(n, tries = 40) {
  const noise = new Noise(1, n);
  const quantiles = quantilesOf(n);
  let sum = 0;
  for (let k = 0; k < tries; k++) {
    const draws = Float64Array.from({ length: n }, (_, i) => quantile(noise.uniform(i)));
    sum += apart(draws, quantiles);
  }
  return sum / tries;
}
