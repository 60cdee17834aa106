// The DDIM sampler on the exact noise predictor of a Gaussian mixture, in the letters of the book;
// index 0 is clean data. flow.py joins this, flow_solvers.js, flow_picture.js and flow.js into one
// module without imports, which a notebook, an editor and a web page can all load.

// --- schedule: as ddim_lib/schedule.py, number for number ----------------------------------------

export function linearSchedule(T = 1000) {
  const low = 0.1 / T, high = 20 / T, gap = (high - low) / (T - 1);
  const alphaBar = new Float64Array(T + 1).fill(1), betaBar = new Float64Array(T + 1);
  let power = 1;
  for (let i = 0; i < T; i++) {
    power *= 1 - (i < T / 2 ? low + gap * i : high - gap * (T - 1 - i)); // symmetric, as torch.linspace
    alphaBar[i + 1] = Math.sqrt(power);
    betaBar[i + 1] = Math.sqrt(1 - alphaBar[i + 1] ** 2);
  }
  return { T, alphaBar, betaBar };
}

// steps + 1 distinct whole times, falling from T to 0; spacing: uniform, quadratic or log-snr.
export function timesOf(schedule, steps, spacing) {
  const { T } = schedule;
  if (spacing === "log-snr") return strictlyFalling(logSnrTimes(schedule, steps), T);
  const power = spacing === "quadratic" ? 2 : 1;
  return strictlyFalling(Array.from({ length: steps + 1 }, (_, i) => T * (1 - i / steps) ** power), T);
}

function logSnrTimes({ T, alphaBar, betaBar }, steps) {
  const logRho = Array.from({ length: T }, (_, i) => Math.log(betaBar[i + 1] / alphaBar[i + 1]));
  const gap = (logRho[0] - logRho[T - 1]) / (steps - 1);
  const times = [T];
  for (let i = 1, j = T - 1; i < steps - 1; i++) {
    const wanted = i * gap + logRho[T - 1];
    while (j > 0 && logRho[j] > wanted) j--;
    times.push((wanted - logRho[j]) / (logRho[j + 1] - logRho[j]) + j + 1);
  }
  return steps > 1 ? [...times, 1, 0] : [T, 0];
}

function toEven(x) {
  const low = Math.floor(x), rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

// The nearest strictly falling whole times: t + index must never rise.
function strictlyFalling(ideal, T) {
  const steps = ideal.length - 1;
  const level = ideal.map((t, i) => Math.min(Math.max(toEven(t) + i, steps), T));
  level[0] = T;
  level[steps] = steps;
  const fromLeft = [...level], fromRight = [...level];
  for (let i = 1; i <= steps; i++) fromLeft[i] = Math.min(fromLeft[i], fromLeft[i - 1]);
  for (let i = steps - 1; i >= 0; i--) fromRight[i] = Math.max(fromRight[i], fromRight[i + 1]);
  return level.map((_, i) => Math.floor((fromLeft[i] + fromRight[i]) / 2) - i);
}

// --- sampler: as ddim_lib/ddim.py and ddim_lib/exact.py ------------------------------------------

// kappa, lambda and sigma of the step t -> s; sigmaHat: DDPM's larger noise, none on the last step.
export function coefficients({ alphaBar, betaBar }, t, s, eta, sigmaHat = false) {
  const fresh = Math.sqrt(1 - (alphaBar[t] / alphaBar[s]) ** 2);
  const sigma = ((sigmaHat ? 1 : eta) * betaBar[s] * fresh) / betaBar[t];
  const kappa = Math.sqrt(Math.max(betaBar[s] ** 2 - sigma ** 2, 0)) / betaBar[t];
  return { kappa, lambda: alphaBar[s] - kappa * alphaBar[t], sigma: sigmaHat ? (s > 0 ? fresh : 0) : sigma };
}

const WIDTH = 6; // numbers a component: in a mixture w, mx, my, cxx, cxy, cyy

// e^-d for 0 <= d <= FAR is read from a table at the nearest GRAIN-th, then moved by the rest with
// two terms of the series: 1e-8 of itself, and thrice as fast as Math.exp.
const GRAIN = 128, FAR = 40;
const DECAY = Float64Array.from({ length: GRAIN * FAR + 1 }, (_, i) => Math.exp(-i / GRAIN));
const FIRST = 1 / GRAIN, SECOND = FIRST ** 2 / 2;

// Each component of p_t where amplitudes are [alphaBar, betaBar]: its mean, half the inverse of its
// covariance, and how far the logarithm of its height lies below that of the highest; in GRAIN-ths,
// as the table of e^-d wants them.
function tableOf(mixture, amplitudes) {
  const width = WIDTH * mixture.length, table = new Float64Array(amplitudes.length * width);
  let o = 0;
  for (const [a, b] of amplitudes) {
    const signal = a * a, noise = b * b, start = o;
    let highest = -Infinity;
    for (const [w, mx, my, cxx, cxy, cyy] of mixture) {
      const xx = signal * cxx + noise, xy = signal * cxy, yy = signal * cyy + noise;
      const det = xx * yy - xy * xy, half = GRAIN / (2 * det);
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

const amplitudesAt = ({ alphaBar, betaBar }, times) => times.map((t) => [alphaBar[t], betaBar[t]]);

// What is the same for every eta and seed: the mixture at each time but the last.
export function planOf(mixture, schedule, times) {
  return { schedule, times, ...tableOf(mixture, amplitudesAt(schedule, times.slice(0, -1))) };
}

// The score at (x, y) of the mixture in table[start … end], left in out. The densities are taken
// relative to the highest that the components reach; again, relative to the highest at this point,
// where that leaves next to nothing of them. Most of a walk's time passes in this loop.
function score(table, start, end, x, y, out, shift = 0) {
  let sum = 0, sx = 0, sy = 0;
  for (let o = start; o < end; o += WIDTH) {
    const dx = x - table[o], dy = y - table[o + 1];
    const px = table[o + 2] * dx + table[o + 3] * dy, py = table[o + 3] * dx + table[o + 4] * dy;
    const depth = px * dx + py * dy + table[o + 5] - shift;
    if (depth > GRAIN * FAR) continue;
    const i = (depth + 0.5) | 0, r = i - depth;
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
    const dx = x - table[o], dy = y - table[o + 1];
    const px = table[o + 2] * dx + table[o + 3] * dy, py = table[o + 3] * dx + table[o + 4] * dy;
    least = Math.min(least, px * dx + py * dy + table[o + 5]);
  }
  return least;
}

const FRAMES = 97; // at most so many moments of a walk are kept
const BLOCK = 20; // points that walk together, so that a component's numbers stay at hand

// A cloud on its way from noise to data; `advance` until `done` equals `points`.
// noise.fill(first, count, out) puts the next standard normals of those points, x and y, into out.
class Cloud {
  constructor(steps, { plan, points, noise }) {
    Object.assign(this, { steps, plan, points, noise, done: 0 });
    const frames = Math.min(steps + 1, FRAMES);
    this.kept = Array.from({ length: frames }, (_, i) => Math.round((i * steps) / (frames - 1)));
    this.paths = this.kept.map(() => new Float64Array(2 * points)); // x, y, x, y, … at each moment
  }

  advance() {
    const count = Math.min(BLOCK, this.points - this.done), first = this.done;
    const x = new Float64Array(2 * count), z = new Float64Array(2 * count);
    this.noise.fill(first, count, x);
    this.paths[0].set(x, 2 * first);
    for (let i = 0, frame = 1; i < this.steps; i++) {
      if (this.isRandom(i)) this.noise.fill(first, count, z);
      this.step(i, x, z);
      if (this.kept[frame] === i + 1) this.paths[frame++].set(x, 2 * first);
    }
    this.done += count;
  }
}

// The sampler of DDIM, at any eta.
export class Walk extends Cloud {
  constructor({ eta, sigmaHat = false, ...cloud }) {
    const { schedule, times } = cloud.plan;
    super(times.length - 1, cloud);
    this.pieces = times.slice(1).map((s, i) => coefficients(schedule, times[i], s, eta, sigmaHat));
  }

  isRandom(i) {
    return this.pieces[i].sigma > 0;
  }

  // x_s = kappa x_t + lambda x0_hat + sigma eps, with x0_hat = (x_t + betaBar^2 score) / alphaBar
  step(i, x, z) {
    const { schedule, times, table, width } = this.plan, { kappa, lambda, sigma } = this.pieces[i];
    const a = schedule.alphaBar[times[i]], power = schedule.betaBar[times[i]] ** 2;
    const start = i * width, end = start + width, s = new Float64Array(2);
    for (let n = 0; n < x.length; n += 2) {
      score(table, start, end, x[n], x[n + 1], s);
      x[n] = kappa * x[n] + (lambda * (x[n] + power * s[0])) / a + sigma * z[n];
      x[n + 1] = kappa * x[n + 1] + (lambda * (x[n + 1] + power * s[1])) / a + sigma * z[n + 1];
    }
  }
}

// --- chance and distance -------------------------------------------------------------------------

const scramble = (h) => {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

// Each point has its own stream, mulberry32 into Marsaglia's polar method, so that the first hundred
// points are the same whether a hundred or a thousand walk, and a point keeps its noise while a
// slider moves.
export class Noise {
  constructor(seed, points) {
    this.states = Uint32Array.from({ length: points }, (_, i) => scramble(scramble(seed) + i));
  }

  uniform(i) { // in (0, 1]
    const state = (this.states[i] += 0x6d2b79f5);
    let h = Math.imul(state ^ (state >>> 15), 1 | state);
    h ^= h + Math.imul(h ^ (h >>> 7), 61 | h);
    return (((h ^ (h >>> 14)) >>> 0) + 1) / 4294967296;
  }

  fill(first, count, out) {
    for (let i = 0; i < count; i++) {
      let u, v, q; // a place in the unit disc gives two normals
      do {
        u = 2 * this.uniform(first + i) - 1;
        v = 2 * this.uniform(first + i) - 1;
        q = u * u + v * v;
      } while (q > 1 || q === 0);
      const stretch = Math.sqrt((-2 * Math.log(q)) / q);
      out[2 * i] = stretch * u;
      out[2 * i + 1] = stretch * v;
    }
  }
}

// Points of the data themselves, x, y, x, y, …: what the samples are compared with.
export function reference(mixture, points = 4000, seed = 1) {
  const noise = new Noise(seed, points), out = new Float64Array(2 * points);
  noise.fill(0, points, out);
  const total = mixture.reduce((sum, [w]) => sum + w, 0);
  for (let i = 0; i < points; i++) {
    let left = noise.uniform(i) * total;
    const [, mx, my, cxx, cxy, cyy] = mixture.find(([w]) => (left -= w) <= 0) ?? mixture.at(-1);
    const root = Math.sqrt(cxx), u = out[2 * i], v = out[2 * i + 1]; // Cholesky
    out[2 * i] = mx + root * u;
    out[2 * i + 1] = my + (cxy / root) * u + Math.sqrt(cyy - cxy ** 2 / cxx) * v;
  }
  return out;
}

const DIRECTIONS = 32;

// The first `count` points' shadows on directions around the half circle, each sorted.
export function shadows(points, count = points.length / 2) {
  return Array.from({ length: DIRECTIONS }, (_, d) => {
    const angle = (Math.PI * d) / DIRECTIONS, cos = Math.cos(angle), sin = Math.sin(angle);
    const shadow = new Float64Array(count);
    for (let i = 0; i < count; i++) shadow[i] = points[2 * i] * cos + points[2 * i + 1] * sin;
    return shadow.sort();
  });
}

// Sliced W1 of two clouds' shadows; the second may have more points, and gives its quantiles.
export function distance(few, many) {
  const n = few[0].length, stride = many[0].length / n;
  let sum = 0;
  for (let d = 0; d < few.length; d++) {
    const a = few[d], b = many[d];
    for (let i = 0; i < n; i++) sum += Math.abs(a[i] - b[((i + 0.5) * stride) | 0]);
  }
  return sum / (n * few.length);
}
