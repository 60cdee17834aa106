// A digit on its way from noise, by the sampler on the network.

import { PIXELS } from "./pictures.js";
import { TorchNormals } from "./torch_noise.js";
import { Walk } from "./walk.js";

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

// model: (x_t, t) -> ε̂. noise: { seed, draws, count }; digit: which of the count.
export class DigitWalk extends Walk {
  constructor(model, { schedule, times, eta, noise, digit }) {
    const plan = { schedule, times };
    super({ plan, eta, points: 1, size: PIXELS, noise: new DigitNoise(noise, digit) });
    this.model = model;
  }

  // x0_hat = (x_t − betaBar eps_hat) / alphaBar
  guess(i, x) {
    const { schedule, times } = this.plan;
    const t = times[i];
    const epsHat = this.model(x, t);
    for (let p = 0; p < PIXELS; p++)
      this.x0Hat[p] = (x[p] - schedule.betaBar[t] * epsHat[p]) / schedule.alphaBar[t];
    return this.x0Hat;
  }
}
