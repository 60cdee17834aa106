// The equation of eta = 0, dy/drho = eps with y = x/alphaBar and rho = betaBar/alphaBar: the solvers
// of ddim_lib/ode.py, number for number, and its exact paths.

import { glide } from "./ddim.js";
import { score, tableOf } from "./exact.js";
import { amplitudesAt } from "./schedule.js";
import { BLOCK, Cloud } from "./walk.js";

// How often a step asks the network; the last one of all is DDIM's, which asks once.
const CALLS = { ddim: 1, midpoint: 2, heun: 2, dpmpp2m: 1, rk4: 4 };
export const SOLVERS = Object.keys(CALLS);
export const callsOf = (solver, steps) => CALLS[solver] * (steps - 1) + 1;

const rhoOf = ([a, b]) => b / a;
const amplitudesOf = (rho) => [1 / Math.hypot(1, rho), rho / Math.hypot(1, rho)];

// The mixture at each of the amplitudes, and in the middle (in rho) of each step between them.
function ridePlan(mixture, amplitudes, solver) {
  const steps = amplitudes.length - 1;
  const middle = (_, i) => amplitudesOf((rhoOf(amplitudes[i]) + rhoOf(amplitudes[i + 1])) / 2);
  const halves = ["midpoint", "rk4"].includes(solver) ? Array.from({ length: steps }, middle) : [];
  const places = [...amplitudes, ...halves];
  return { solver, steps, places, ...tableOf(mixture, places) };
}

export function solverPlan(mixture, schedule, times, solver) {
  return { schedule, times, ...ridePlan(mixture, amplitudesAt(schedule, times), solver) };
}

// A cloud that rides the equation by a solver.
export class Ride extends Cloud {
  constructor(cloud) {
    super(cloud.plan.steps, cloud);
    [this.k, this.l, this.sum, this.y] = Array.from(
      { length: 4 },
      () => new Float64Array(2 * BLOCK),
    );
    this.before = new Float64Array(2 * BLOCK); // x0_hat of the step before: what 2M remembers
    this.gradient = new Float64Array(2);
  }

  isRandom() {
    return false;
  }

  // No network is trained at t = 0, so the step that ends there is DDIM's.
  step(i, x) {
    const { solver, steps } = this.plan;
    this[i === steps - 1 && solver !== "dpmpp2m" ? "ddim" : solver](i, i + 1, x);
  }

  // The exact eps = -betaBar score at x, in the place of that row.
  look(row, x, n, eps) {
    const { table, width, places } = this.plan;
    const start = row * width;
    const b = places[row][1];
    for (let i = 0; i < n; i += 2) {
      score(table, start, start + width, x[i], x[i + 1], this.gradient);
      eps[i] = -b * this.gradient[0];
      eps[i + 1] = -b * this.gradient[1];
    }
  }

  // Follow a constant slope from a place to another.
  glide(from, to, x, slope, out) {
    glide(x, slope, this.plan.places[from], this.plan.places[to], out);
  }

  ddim(t, s, x) {
    this.look(t, x, x.length, this.k);
    this.glide(t, s, x, this.k, x);
  }

  midpoint(t, s, x) {
    const { k, l, y } = this;
    const middle = this.plan.steps + 1 + t;
    this.look(t, x, x.length, k);
    this.glide(t, middle, x, k, y);
    this.look(middle, y, x.length, l);
    this.glide(t, s, x, l, x);
  }

  heun(t, s, x) {
    const { k, l, y } = this;
    const n = x.length;
    this.look(t, x, n, k);
    this.glide(t, s, x, k, y);
    this.look(s, y, n, l);
    for (let i = 0; i < n; i++) k[i] = (k[i] + l[i]) / 2;
    this.glide(t, s, x, k, x);
  }

  rk4(t, s, x) {
    const { k, sum, y } = this;
    const n = x.length;
    const m = this.plan.steps + 1 + t;
    sum.fill(0);
    for (const [place, weight, next] of [
      [t, 1, m],
      [m, 2, m],
      [m, 2, s],
      [s, 1],
    ]) {
      this.look(place, place === t ? x : y, n, k);
      for (let i = 0; i < n; i++) sum[i] += (weight * k[i]) / 6;
      if (next) this.glide(t, next, x, k, y);
    }
    this.glide(t, s, x, sum, x);
  }

  // The guess runs on as it ran before; the first step and the last are DDIM's.
  dpmpp2m(t, s, x) {
    const { k, before } = this;
    const { places, steps } = this.plan;
    const n = x.length;
    const [a, b] = places[t];
    const [c, d] = places[s];
    const length = (from, to) => Math.log(rhoOf(places[from]) / rhoOf(places[to]));
    const run = t > 0 && t < steps - 1 ? length(t, s) / (2 * length(t - 1, t)) : 0;
    this.look(t, x, n, k);
    for (let i = 0; i < n; i++) {
      const guess = (x[i] - b * k[i]) / a;
      x[i] = (d / b) * x[i] + (c - (a * d) / b) * (guess + run * (guess - before[i]));
      before[i] = guess;
    }
  }
}

// --- the exact path ------------------------------------------------------------------------------

const FINE = 192; // steps of RK4: even in asinh(rho/KNEE): in log rho, then in rho down to 0
const KNEE = 0.02; // the rho below which they are even in rho

const heightOf = (rho) => Math.asinh(rho / KNEE);

// The exact eps of a mixture has a slope at t = 0 too, so every step down to there is RK4's.
export class ExactPaths extends Ride {
  constructor({ mixture, schedule, ...cloud }) {
    const top = heightOf(rhoOf(amplitudesAt(schedule, [schedule.T])[0]));
    const levels = Array.from(
      { length: FINE + 1 },
      (_, i) => KNEE * Math.sinh(top * (1 - i / FINE)),
    );
    super({ plan: ridePlan(mixture, levels.map(amplitudesOf), "rk4"), ...cloud });
    Object.assign(this, { schedule, top });
  }

  step(i, x) {
    this.rk4(i, i + 1, x);
  }

  // Where a real time lies among the moments kept.
  momentAt(t) {
    const low = Math.min(Math.floor(t), this.schedule.T - 1);
    const [from, to] = amplitudesAt(this.schedule, [low, low + 1]).map((pair) =>
      heightOf(rhoOf(pair)),
    );
    return (this.paths.length - 1) * (1 - (from + (t - low) * (to - from)) / this.top);
  }
}
