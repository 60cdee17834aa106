// A step of the sampler, in the letters of the book: as ddim_lib/ddim.py.

// kappa, lambda and sigma of the step t -> s; sigmaHat: DDPM's larger noise, none on the last step.
export function coefficients({ alphaBar, betaBar }, t, s, eta, sigmaHat = false) {
  const fresh = Math.sqrt(1 - (alphaBar[t] / alphaBar[s]) ** 2);
  const sigma = ((sigmaHat ? 1 : eta) * betaBar[s] * fresh) / betaBar[t];
  const kappa = Math.sqrt(Math.max(betaBar[s] ** 2 - sigma ** 2, 0)) / betaBar[t];
  return {
    kappa,
    lambda: alphaBar[s] - kappa * alphaBar[t],
    sigma: sigmaHat ? (s > 0 ? fresh : 0) : sigma,
  };
}

// Move x_t to the cleaner time s, in place:  x_s = kappa x_t + lambda x0_hat + sigma eps.
export function ddimStep(x, x0Hat, { kappa, lambda, sigma }, noise) {
  for (let i = 0; i < x.length; i++) x[i] = kappa * x[i] + lambda * x0Hat[i] + sigma * noise[i];
}

// Follow a constant slope dy/drho from (a, b), alphaBar and betaBar of a time, to (c, d), in x:
// y = x/alphaBar, rho = betaBar/alphaBar,  y_s = y_t + (rho_s - rho_t) slope.
export function glide(x, slope, [a, b], [c, d], out) {
  const keep = c / a;
  const add = d - (c * b) / a;
  for (let i = 0; i < x.length; i++) out[i] = keep * x[i] + add * slope[i];
}
