// A cloud of points on its way from noise to data, by the sampler on the exact noise guess. A point has
// two numbers, or `size` of them: a digit is one too.

import { coefficients, ddimStep } from "./ddim.js";
import { score } from "./exact.js";

const FRAMES = 97; // at most so many moments of a walk are kept
export const BLOCK = 20; // points that walk together, so that a component's numbers stay at hand

// A cloud on its way from noise to data; `advance` until `done` equals `points`.
// noise.fill(first, count, out) puts the next standard normals of those points, x and y, into out.
export class Cloud {
  constructor(steps, { plan, points, noise, size = 2 }) {
    Object.assign(this, { steps, plan, points, noise, size, done: 0 });
    const frames = Math.min(steps + 1, FRAMES);
    this.kept = Array.from({ length: frames }, (_, i) => Math.round((i * steps) / (frames - 1)));
    this.paths = this.kept.map(() => new Float64Array(size * points)); // x, y, x, y, … at each moment
  }

  advance() {
    const walking = this.walking();
    while (!walking.next().done);
  }

  // The next points walk, and wait after each step for whoever looks on; it tells how many are done.
  *walking() {
    const { size, steps, noise, done: first } = this;
    const count = Math.min(BLOCK, this.points - first);
    const x = new Float64Array(size * count);
    const z = new Float64Array(size * count);
    noise.fill(first, count, x);
    this.paths[0].set(x, size * first);
    for (let i = 0, frame = 1; i < steps; i++) {
      if (this.isRandom(i)) noise.fill(first, count, z);
      this.step(i, x, z);
      if (this.kept[frame] === i + 1) this.paths[frame++].set(x, size * first);
      yield i + 1;
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
    this.x0Hat = new Float64Array(this.size * Math.min(BLOCK, this.points)); // of the step just done
  }

  isRandom(i) {
    return this.pieces[i].sigma > 0;
  }

  // x_s = kappa x_t + lambda x0_hat + sigma eps
  step(i, x, z) {
    ddimStep(x, this.guess(i, x), this.pieces[i], z);
  }

  // x0_hat = (x_t + betaBar^2 score) / alphaBar
  guess(i, x) {
    const { schedule, times, table, width } = this.plan;
    const a = schedule.alphaBar[times[i]];
    const power = schedule.betaBar[times[i]] ** 2;
    const start = i * width;
    const end = start + width;
    const { x0Hat } = this;
    const s = new Float64Array(2);
    for (let n = 0; n < x.length; n += 2) {
      score(table, start, end, x[n], x[n + 1], s);
      x0Hat[n] = (x[n] + power * s[0]) / a;
      x0Hat[n + 1] = (x[n + 1] + power * s[1]) / a;
    }
    return x0Hat;
  }
}
