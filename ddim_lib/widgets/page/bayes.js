// What each says of x_s, as a mean and a standard deviation.

import { stepOf } from "./step.js";

// The likelihood is that of x_t = α x_s + β ε, read as a function of x_s.
export function beliefs(schedule, { t, s }, { x_0, x_t, eta }) {
  const family = (share) => {
    const { kappa, lambda, sigma } = stepOf(schedule, t, s, share);
    return { mean: kappa * x_t + lambda * x_0, sd: sigma };
  };
  const { alpha, beta } = stepOf(schedule, t, s, 1);
  return {
    prior: { mean: schedule.alphaBar[s] * x_0, sd: schedule.betaBar[s] },
    likelihood: { mean: x_t / alpha, sd: beta / alpha },
    posterior: family(eta),
    bayes: family(1),
  };
}
