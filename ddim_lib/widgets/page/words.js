// Every word that an explorer shows or tells a screen reader: a translation replaces this file.

const counted = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

// --- all explorers -------------------------------------------------------------------------------

export const WORDS = {
  steps: (n) => counted(n, "step"),
  eta: (eta) => `η = ${eta}`,
  seed: "seed",
  seedTitle: "seed of the noise",
  trouble: (why) => `This cannot be drawn: ${why}.`,
};

// What a slider is called, in short and in full, and what its two ends mean.
export const SLIDERS = {
  eta: { name: "η", title: "η, the share of fresh noise", ends: ["0 deterministic", "1 DDPM"] },
  steps: { name: "steps", title: "number of steps", ends: ["1", "1000"] },
  time: { name: "time", title: "time, from noise to data", ends: ["noise", "data"] },
  t: { name: "t", title: "time t, from data to noise", ends: ["0 data", "1000 noise"] },
  x_t: { name: "xₜ", title: "x_t, the noisy value", ends: ["−3", "3"] },
  x_0: { name: "x₀", title: "x_0, the clean value", ends: ["−3", "3"] },
  dose: { name: "η", title: "η, the share of fresh noise", ends: ["0 flow", "1 DDPM", "1.4"] },
  start: { name: "start", title: "x_T, where your path starts", ends: ["−3", "3"] },
  count: { name: "paths", title: "number of paths", ends: ["1", "1000"] },
};

// What was needed, and what was got.
export const NEED = {
  whole: (name, low, high, got) =>
    `need a whole number, ${low} <= ${name} <= ${high}, got ${name}=${got}`,
  between: (name, low, high, got) => `need ${low} <= ${name} <= ${high}, got ${name}=${got}`,
  among: (name, names, got) =>
    `need ${name} among ${names.join(", ") || "no names at all"}, got ${got}`,
  onOff: (name, got) => `need ${name} true or false, got ${got}`,
  component: (data) => `need at least one component in ${data}, got none`,
  positive: (data, row) =>
    `need positive weights and positive definite covariances, got a component ${row} in ${data}`,
};

export const SCHEDULES = {
  linear: "linear (DDPM)",
  cosine: "cosine",
  sqrt: "α = √(1 − 0.02 t/T)",
  exp: "ᾱ = exp(−5 t²/T²)",
};

// --- flow ----------------------------------------------------------------------------------------

export const SPACINGS = { uniform: "uniform", quadratic: "quadratic", "log-snr": "log-SNR" };
export const SOLVER_NAMES = {
  ddim: "DDIM",
  midpoint: "midpoint",
  heun: "Heun",
  dpmpp2m: "DPM-Solver++ (2M)",
  rk4: "RK4",
};

export const FLOW = {
  out: "η out of play",
  sigmaHat: "σ̂",
  walk: (steps, noise) => `${counted(steps, "step")} · ${noise}`,
  ride: (steps, solver, calls) =>
    `${counted(steps, "step")} of ${solver === "dpmpp2m" ? "2M" : SOLVER_NAMES[solver]} · ${counted(calls, "call")}`,
  calls: (n) => counted(n, "call"),
  away: (sign, distance) => `distance to the data ${sign}${distance}`,
  missed: (sign, gap) => `${sign}${gap} from the exact ends (median)`,
  step: (step, steps, t) => `step ${step} of ${steps}, t = ${t}`,
  hint: (solver) =>
    `${SOLVER_NAMES[solver]} solves the equation of η = 0: η is out of play. Move it, and DDIM is back.`,
  note: (points, apart) => `Even ${points} points of the data themselves are ${apart} away.`,
  picture: (points, data, walk, exact) =>
    `${points} points flow from noise to ${data}: ${walk}${exact ? ", beside their exact paths" : ""}`,
  play: "play from noise to data",
  pause: "pause",
  more: "more",
  solver: "solver",
  solverTitle: "solver of the equation of η = 0",
  exact: "exact paths",
  data: "data",
  dataTitle: "data set",
  spacing: "spacing",
  spacingTitle: "spacing of the times",
  large: "σ̂, DDPM's larger noise",
};

// --- grid ----------------------------------------------------------------------------------------

const setting = (eta, steps) => `η = ${eta.toFixed(2)} · ${counted(steps, "step")}`;

export const GRID = {
  marks: { 0: "0 deterministic", 1: "1 DDPM" },
  setting,
  picture: (alt, eta, steps) => `${alt} (${setting(eta, steps)})`,
  stored: (eta, steps, exact) => `${setting(eta, steps)} · ${exact ? "" : "nearest "}stored`,
  computing: (eta, steps) => `${setting(eta, steps)} · computing …`,
  computed: (eta, steps) => `${setting(eta, steps)} · computed now`,
  failed: (eta, steps) => `${setting(eta, steps)} · not drawn`,
  error: (eta, steps, text) =>
    `The picture above is the last one: draw(${eta}, ${steps}) failed. ${text}`,
  silent: "The kernel does not answer: only the stored pictures move.",
  broken: (why) => `The stored pictures cannot be shown: ${why}.`,
  breaks: "the file breaks off",
  measures: (width, height) => `the sheet measures ${width} × ${height} pixels`,
};

// --- one step: chain and posterior ---------------------------------------------------------------

export const STEP = {
  piece: (t, s) => `t = ${t} → s = ${s}`,
  letters: { alpha: "α", kappa: "κ", lambda: "λ", sigma: "σ" },
};

export const CHAIN = {
  schedule: "schedule",
  tie: (correlation) => (correlation ? `correlation ${correlation}` : "xₛ is x₀"),
  curves: (schedule, steps, line) =>
    `Signal and noise over time, ${SCHEDULES[schedule]}, cut into ${steps}: ${line}`,
  pairs: (eta, line) => `Pairs of neighbours, η = ${eta}: ${line}`,
  signal: "ᾱ signal",
  noise: "β̄ noise",
  dashed: "dashed: linear",
  ends: ["data", "noise"],
  time: (letter, t) => `${letter} = ${t}`,
  given: "given x₀ = 0",
  alone: ["xₜ alone", "xₛ alone"],
  axes: ["xₜ", "xₛ"],
  line: "line κ xₜ, band ±σ",
  last: "xₛ = x₀",
};

export const POSTERIOR = {
  legend: {
    likelihood: "likelihood q(xₜ | xₛ)",
    prior: "prior q(xₛ | x₀)",
    posterior: "posterior q(xₛ | xₜ, x₀)",
    bayes: "Bayes' posterior, η = 1",
  },
  value: (name, value) => `${name} = ${value}`,
  result: (mean, sd) => `xₛ = ${mean} ± ${sd}`,
  picture: (x_0, x_t, eta, line) =>
    `What x_0 = ${x_0} and x_t = ${x_t} say of x_s, η = ${eta}: ${line}`,
  axis: "xₛ",
  point: { x_t: (value, t) => `xₜ = ${value}  (t = ${t})`, x_0: (value) => `x₀ = ${value}` },
  formula: (mean, sd) => `κ xₜ + λ x₀ = ${mean}, σ = ${sd}`,
};

// --- paths ---------------------------------------------------------------------------------------

export const PATHS = {
  legend: (drawn) => ({
    density: "exact density",
    thin: `thin: first ${drawn} paths`,
    yours: "thick: yours",
    landed: "where all end",
    data: "the data",
  }),
  most: (eta, steps) => `η = ${eta}, the most at ${counted(steps, "step")}`,
  mostEta: (eta) => `η = ${eta} (the most)`,
  start: (x) => `x_T = ${x}`,
  paths: (n) => counted(n, "path"),
  spoilt: (from, to) => `score wrong at t = ${from} … ${to}`,
  away: (sign, w1, floor) => `W1 to the data ${sign}${w1} (fresh draws ${floor})`,
  crossed: (percent) => `${percent} % change sides`,
  picture: (count, from, to, line) =>
    `${count} paths from noise to data, yours from ${from} to ${to}: ${line}`,
  noise: (T) => `noise, t = ${T}`,
  data: "t = 0, data",
  ends: "ends",
};
