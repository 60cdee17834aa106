// How far a cloud is from the data, and from another cloud of the same points.

import { Noise } from "./chance.js";

// The component of a mixture that a share of its weights falls to.
function chosen(mixture, share) {
  let left = share;
  for (const component of mixture) {
    left -= component[0];
    if (left <= 0) return component;
  }
  return mixture.at(-1);
}

// Points of the data themselves, x, y, x, y, …: what the samples are compared with.
export function reference(mixture, points = 4000, seed = 1) {
  const noise = new Noise(seed, points);
  const out = new Float64Array(2 * points);
  noise.fill(0, points, out);
  const total = mixture.reduce((sum, [w]) => sum + w, 0);
  for (let i = 0; i < points; i++) {
    const [, mx, my, cxx, cxy, cyy] = chosen(mixture, noise.uniform(i) * total);
    const root = Math.sqrt(cxx);
    const u = out[2 * i];
    const v = out[2 * i + 1]; // Cholesky
    out[2 * i] = mx + root * u;
    out[2 * i + 1] = my + (cxy / root) * u + Math.sqrt(cyy - cxy ** 2 / cxx) * v;
  }
  return out;
}

const DIRECTIONS = 32;

// The first `count` points' shadows on directions around the half circle, each sorted.
export function shadows(points, count = points.length / 2) {
  return Array.from({ length: DIRECTIONS }, (_, d) => {
    const angle = (Math.PI * d) / DIRECTIONS;
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    const shadow = new Float64Array(count);
    for (let i = 0; i < count; i++) shadow[i] = points[2 * i] * cos + points[2 * i + 1] * sin;
    return shadow.sort();
  });
}

// Sliced W1 of two clouds' shadows; the second may have more points, and gives its quantiles.
export function distance(few, many) {
  const n = few[0].length;
  const stride = many[0].length / n;
  let sum = 0;
  for (let d = 0; d < few.length; d++) {
    const a = few[d];
    const b = many[d];
    for (let i = 0; i < n; i++) sum += Math.abs(a[i] - b[((i + 0.5) * stride) | 0]);
  }
  return sum / (n * few.length);
}

// Median distance between the ends of two clouds' points, as far as both have come.
export function medianGap(cloud, exact) {
  const [x, y] = [cloud, exact].map(({ paths }) => paths.at(-1));
  const gaps = [];
  for (let i = 0; i < 2 * Math.min(cloud.done, exact.done); i += 2)
    gaps.push(Math.hypot(x[i] - y[i], x[i + 1] - y[i + 1]));
  gaps.sort((a, b) => a - b);
  return gaps.length ? (gaps[(gaps.length - 1) >> 1] + gaps[gaps.length >> 1]) / 2 : NaN;
}
