// What the lab does with a digit: each task puts pictures into places (column, row), asks the network, and
// returns the numbers that the line tells. ask(request, look) resolves with the last that the network
// tells, look hears all of it; without a network it never does, and what needs none stands there alone.
// sketch puts what is only on its way.

import { PIXELS } from "./pictures.js";
import { linearSchedule, T, timesOf } from "./schedule.js";
import { TorchNormals } from "./torch_noise.js";

export const NOISES = 3;
export const COLUMNS = 8; // at most
export const MIXED = [0, 0.25, 0.5, 0.75, 1];
export const schedule = linearSchedule(T);

export function noiseOf(seed) {
  const noise = new Float64Array(PIXELS);
  new TorchNormals(seed).fill(noise);
  return noise;
}

// From t down to 0 in so many steps, or one for each time.
export function timesFrom(t, steps) {
  const n = Math.min(steps, t);
  return Array.from({ length: n + 1 }, (_, i) => Math.floor((2 * t * (n - i) + n) / (2 * n)));
}

// x_t = alphaBar x_0 + betaBar eps
export const noised = (x, t, eps) =>
  x.map((v, i) => schedule.alphaBar[t] * v + schedule.betaBar[t] * eps[i]);

const inner = (x, y) => x.reduce((sum, v, i) => sum + v * y[i], 0);
const mean = (x) => x.reduce((sum, v) => sum + v, 0) / x.length;
const lengthOf = (x) => Math.sqrt(inner(x, x) / x.length); // 1 for noise

function deviation(x) {
  const middle = mean(x);
  return Math.sqrt(x.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (x.length - 1));
}

export const straight = (x, y, w) => x.map((v, i) => (1 - w) * v + w * y[i]);

// Along the arc between two noises, as slerp of ddim_lib/process.py.
export function slerp(x, y, w) {
  const angle = Math.acos(inner(x, y) / Math.sqrt(inner(x, x) * inner(y, y)));
  const [first, second] = [(1 - w) * angle, w * angle].map(
    (part) => Math.sin(part) / Math.sin(angle),
  );
  return angle < 1e-3 ? straight(x, y, w) : x.map((v, i) => first * v + second * y[i]);
}

// Of the moments kept of a walk, which eight are shown.
export const eightOf = (frames) =>
  [...Array(COLUMNS).keys()].map((k) => Math.round((k * (frames - 1)) / (COLUMNS - 1)));

async function inThreeNoises({ a, t, seed, put, sketch }, each) {
  put(0, 0, a);
  const all = Array.from({ length: NOISES }, (_, k) => noised(a, t, noiseOf(seed + k)));
  for (const [k, x] of all.entries()) put(k + 1, 0, x);
  for (const [k, x] of all.entries())
    put(k + 1, 1, await each(x, (picture) => sketch(k + 1, 1, picture)));
}

const decoding = (x, steps, eta = 0, draws = 0) => {
  return { task: "walk", x, times: timesOf(schedule, steps, "uniform"), eta, draws };
};

export const TASKS = {
  noise: {
    knobs: ["t", "steps", "seed"],
    heights: [1, 2, 2, 2], // pictures in each column
    run: (lab) =>
      inThreeNoises(lab, async (x, sketch) => {
        const walk = { task: "walk", x, times: timesFrom(lab.t, lab.steps), eta: 0 };
        return (await lab.ask(walk, ({ x0Hat }) => sketch(x0Hat))).x;
      }),
  },

  hidden: {
    knobs: ["t", "seed"],
    heights: [1, 2, 2, 2],
    run: (lab) =>
      inThreeNoises(lab, async (x) => (await lab.ask({ task: "guess", x, t: lab.t })).x),
  },

  code: {
    knobs: ["steps", "seed"],
    heights: [1, 1, 1, 1],
    async run({ a, steps, seed, put, sketch, ask, encode }) {
      const noise = noiseOf(seed);
      put(0, 0, a);
      put(2, 0, noise);
      const code = await encode("a");
      put(1, 0, code);
      const { x } = await ask(decoding(code, steps), (moment) => sketch(3, 0, moment.x));
      put(3, 0, x);
      const error = mean(x.map((v, i) => ((v - a[i]) / 2) ** 2));
      return { error, spread: deviation(code), noise: deviation(noise) };
    },
  },

  eta: {
    knobs: ["eta", "steps", "seed"],
    heights: Array(COLUMNS).fill(2),
    async run({ steps, eta, seed, put, ask, encode }) {
      const code = await encode("a");
      put(0, 0, code);
      await ask(decoding(code, steps, eta, seed), ({ frame, frames, x, x0Hat }) => {
        for (const [column, wanted] of eightOf(frames).entries())
          if (wanted === frame) {
            put(column, 0, x);
            put(column, 1, x0Hat);
          }
      });
    },
  },

  mix: {
    knobs: ["steps"],
    heights: Array(MIXED.length).fill(2),
    async run({ a, b, steps, put, sketch, ask, encode }) {
      for (const row of [0, 1]) {
        put(0, row, a);
        put(MIXED.length - 1, row, b);
      }
      const [first, other] = [await encode("a"), await encode("b")];
      for (const [column, w] of MIXED.entries())
        for (const [row, mixed] of [slerp, straight].entries()) {
          const code = mixed(first, other, w);
          const { x } = await ask(decoding(code, steps), ({ x0Hat }) => sketch(column, row, x0Hat));
          put(column, row, x);
        }
      const lengths = [first, other, slerp(first, other, 0.5), straight(first, other, 0.5)];
      const [one, two, arc, line] = lengths.map(lengthOf);
      return { ends: [one, two], arc, straight: line };
    },
  },
};

// Where a reader's digit stands while it is drawn; name: a, or b, the other.
export function yours(task, name) {
  if (task === "mix") return [0, 1].map((row) => [name === "a" ? 0 : MIXED.length - 1, row]);
  return name === "a" && task !== "eta" ? [[0, 0]] : [];
}

// When the moments are that a walk of so many steps shows.
export function timesShown(steps) {
  const times = timesOf(schedule, steps, "uniform");
  const frames = Math.min(steps + 1, 97);
  return eightOf(frames).map((frame) => times[Math.round((frame * steps) / (frames - 1))]);
}
