// A digit on its way, by the network: down from noise by the sampler, or up to the noise that is its code.

import { glide } from "./ddim.js";
import { PIXELS } from "./pictures.js";
import { amplitudesAt } from "./schedule.js";
import { TorchNormals } from "./torch_noise.js";
import { Cloud, Walk } from "./walk.js";

// One digit's share of what PyTorch draws for `count` of them: x_T from one seed, then from another the
// noise of each step.
class DigitNoise {
  constructor({ seed, draws, count }, digit) {
    this.before = digit * PIXELS;
    this.after = (count - 1 - digit) * PIXELS;
    this.sources = [new TorchNormals(seed)];
    this.steps = new TorchNormals(draws);
  }

  fill(_first, _count, out) {
    const source = this.sources.pop() ?? this.steps;
    source.skip(this.before);
    source.fill(out);
    source.skip(this.after);
  }
}

// A picture that is given, then noise of a seed for the steps.
class Given {
  constructor(x, draws = 0) {
    this.start = x;
    this.steps = new TorchNormals(draws);
  }

  fill(_first, _count, out) {
    if (this.start) out.set(this.start);
    else this.steps.fill(out);
    this.start = null;
  }
}

// x0_hat = (x_t − betaBar eps_hat) / alphaBar
export function predictX0(schedule, x, epsHat, t, out) {
  for (let p = 0; p < PIXELS; p++)
    out[p] = (x[p] - schedule.betaBar[t] * epsHat[p]) / schedule.alphaBar[t];
  return out;
}

// model: (x_t, t) -> ε̂. It starts from noise: { seed, draws, count }, digit: which of the count; or from
// a picture x at the first of the times, draws: the seed of the steps' noise.
export class DigitWalk extends Walk {
  constructor(model, { schedule, times, eta, noise, digit, x, draws }) {
    const plan = { schedule, times };
    const source = x ? new Given(x, draws) : new DigitNoise(noise, digit);
    super({ plan, eta, points: 1, size: PIXELS, noise: source });
    this.model = model;
  }

  guess(i, x) {
    const { schedule, times } = this.plan;
    return predictX0(schedule, x, this.model(x, times[i]), times[i], this.x0Hat);
  }
}

// From data up to noise, as encode of ddim_lib/ode.py: each step s -> t takes its slope at s, the first
// one at t = 1, the cleanest time that a network is trained at. times: falling, as for the way down.
export class DigitClimb extends Cloud {
  constructor(model, { schedule, times, x }) {
    const rising = [...times].reverse();
    const places = amplitudesAt(schedule, rising);
    super(times.length - 1, { points: 1, size: PIXELS, noise: new Given(x) });
    Object.assign(this, { model, rising, places });
  }

  isRandom() {
    return false;
  }

  step(i, x) {
    const slope = this.model(x, Math.max(this.rising[i], 1));
    glide(x, slope, this.places[i], this.places[i + 1], x);
  }
}

// What is seen of a walk, a step a turn: { frame, frames, t, x, x0Hat }, x at t and the guess made there;
// or nothing, where no moment is kept. Of data the guess is x_0 itself.
export function* momentsOf(walk) {
  const { kept, paths, plan } = walk;
  const moment = (frame, x0Hat) => {
    return { frame, frames: kept.length, t: plan.times[kept[frame]], x: paths[frame], x0Hat };
  };
  for (const done of walk.walking()) {
    const frame = kept.indexOf(done - 1);
    yield frame < 0 ? null : moment(frame, walk.x0Hat);
  }
  yield moment(kept.length - 1, paths.at(-1));
}
