// What may be asked of a flow, and the setting in words.

import { MOST_SEED, outOfBounds } from "./bounds.js";
import { WIDTH } from "./exact.js";
import { callsOf, SOLVERS } from "./ode.js";
import { FLOW, NEED, SPACINGS, WORDS } from "./words.js";

export const SETTINGS = [
  "eta",
  "steps",
  "sigma_hat",
  "solver",
  "exact_path",
  "spacing",
  "data",
  "seed",
];
const BOUNDS = {
  whole: { steps: [1, 1000], points: [1, 100000], seed: [0, MOST_SEED] },
  real: { eta: [0, 1] },
  names: { solver: SOLVERS, spacing: Object.keys(SPACINGS) },
  onOff: ["exact_path"],
};

function isComponent(row) {
  if (!(Array.isArray(row) && row.length === WIDTH && row.every(Number.isFinite))) return false;
  const [w, , , cxx, cxy, cyy] = row;
  return w > 0 && cxx > 0 && cxx * cyy > cxy ** 2;
}

// A sentence on what cannot be drawn, or nothing.
export function complaint(setting) {
  const { data, mixtures } = setting;
  const known = Object.keys(mixtures ?? {});
  const why = outOfBounds(setting, { ...BOUNDS, names: { ...BOUNDS.names, data: known } });
  if (why) return why;
  if (!Array.isArray(mixtures[data]) || !mixtures[data].length) return NEED.component(data);
  const bad = mixtures[data].find((row) => !isComponent(row));
  if (bad) return NEED.positive(data, bad);
}

// How the noise is handled; η and σ̂ are out of play while a solver of η = 0 walks.
export function noiseOf({ eta, sigma_hat, solver }) {
  if (solver !== "ddim") return FLOW.out;
  return sigma_hat ? FLOW.sigmaHat : WORDS.eta(eta.toFixed(2));
}

export function inWords(setting) {
  const { steps, solver } = setting;
  if (solver === "ddim") return FLOW.walk(steps, noiseOf(setting));
  return FLOW.ride(steps, solver, callsOf(solver, steps));
}
