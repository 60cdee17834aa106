// The exact score of a Gaussian mixture, as ddim_lib/exact.py: what the network would have to learn.

import { amplitudesAt } from "./schedule.js";

export const WIDTH = 6; // numbers a component: in a mixture w, mx, my, cxx, cxy, cyy

// e^-d for 0 <= d <= FAR is read from a table at the nearest GRAIN-th, then moved by the rest with
// two terms of the series: 1e-8 of itself, and thrice as fast as Math.exp.
const GRAIN = 128;
const FAR = 40;
const DECAY = Float64Array.from({ length: GRAIN * FAR + 1 }, (_, i) => Math.exp(-i / GRAIN));
const FIRST = 1 / GRAIN;
const SECOND = FIRST ** 2 / 2;

// Each component of p_t where amplitudes are [alphaBar, betaBar]: its mean, half the inverse of its
// covariance, and how far the logarithm of its height lies below that of the highest; in GRAIN-ths,
// as the table of e^-d wants them.
export function tableOf(mixture, amplitudes) {
  const width = WIDTH * mixture.length;
  const table = new Float64Array(amplitudes.length * width);
  let o = 0;
  for (const [a, b] of amplitudes) {
    const signal = a * a;
    const noise = b * b;
    const start = o;
    let highest = -Infinity;
    for (const [w, mx, my, cxx, cxy, cyy] of mixture) {
      const xx = signal * cxx + noise;
      const xy = signal * cxy;
      const yy = signal * cyy + noise;
      const det = xx * yy - xy * xy;
      const half = GRAIN / (2 * det);
      table[o++] = a * mx;
      table[o++] = a * my;
      table[o++] = half * yy;
      table[o++] = -half * xy;
      table[o++] = half * xx;
      const height = GRAIN * Math.log(w / Math.sqrt(det));
      highest = Math.max(highest, height);
      table[o++] = -height;
    }
    for (let depth = start + 5; depth < o; depth += WIDTH) table[depth] += highest;
  }
  return { table, width };
}

// What is the same for every eta and seed: the mixture at each time but the last.
export function planOf(mixture, schedule, times) {
  return { schedule, times, ...tableOf(mixture, amplitudesAt(schedule, times.slice(0, -1))) };
}

// The score at (x, y) of the mixture in table[start … end], left in out. The densities are taken
// relative to the highest that the components reach; again, relative to the highest at this point,
// where that leaves next to nothing of them. Most of a walk's time passes in this loop.
export function score(table, start, end, x, y, out, shift = 0) {
  let sum = 0;
  let sx = 0;
  let sy = 0;
  for (let o = start; o < end; o += WIDTH) {
    const dx = x - table[o];
    const dy = y - table[o + 1];
    const px = table[o + 2] * dx + table[o + 3] * dy;
    const py = table[o + 3] * dx + table[o + 4] * dy;
    const depth = px * dx + py * dy + table[o + 5] - shift;
    if (depth > GRAIN * FAR) continue;
    const i = (depth + 0.5) | 0;
    const r = i - depth;
    const share = DECAY[i] * (1 + r * (FIRST + r * SECOND));
    sum += share;
    sx -= share * px;
    sy -= share * py;
  }
  if (sum < 1e-7) return score(table, start, end, x, y, out, leastDepth(table, start, end, x, y));
  out[0] = (2 * FIRST * sx) / sum;
  out[1] = (2 * FIRST * sy) / sum;
}

// Apart from the loop above, which it would slow by a sixth.
function leastDepth(table, start, end, x, y) {
  let least = Infinity;
  for (let o = start; o < end; o += WIDTH) {
    const dx = x - table[o];
    const dy = y - table[o + 1];
    const px = table[o + 2] * dx + table[o + 3] * dy;
    const py = table[o + 3] * dx + table[o + 4] * dy;
    least = Math.min(least, px * dx + py * dy + table[o + 5]);
  }
  return least;
}
