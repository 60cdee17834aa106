// Noise flows into data under the reader's hand: what may be asked for, the controls, the explorer.

import { Noise } from "./chance.js";
import { watchLooks } from "./colours.js";
import { distance, medianGap, reference, shadows } from "./distance.js";
import { planOf, WIDTH } from "./exact.js";
import { Picture } from "./flow_picture.js";
import { callsOf, ExactPaths, Ride, SOLVERS, solverPlan } from "./ode.js";
import { linearSchedule, timesOf } from "./schedule.js";
import { choice, ETA, element, field, Slider, STEPS } from "./sliders.js";
import { Walk } from "./walk.js";

// --- what the reader may ask for -----------------------------------------------------------------

const SETTINGS = ["eta", "steps", "sigma_hat", "solver", "exact_path", "spacing", "data", "seed"];
const MOST_SEED = 2 ** 32 - 1;
const SPACINGS = { uniform: "uniform", quadratic: "quadratic", "log-snr": "log-SNR" };

const counted = (n, name) => `${n} ${name}${n === 1 ? "" : "s"}`;
const nameOf = (solver) => SOLVERS[solver].short ?? SOLVERS[solver].name;

// How the noise is handled; η and σ̂ are out of play while a solver of η = 0 walks.
const noiseOf = ({ eta, sigma_hat, solver }) =>
  solver !== "ddim" ? "η out of play" : sigma_hat ? "σ̂" : `η = ${eta.toFixed(2)}`;

export const words = (setting) => {
  const { steps, solver } = setting;
  const walked = counted(steps, "step");
  if (solver === "ddim") return `${walked} · ${noiseOf(setting)}`;
  return `${walked} of ${nameOf(solver)} · ${counted(callsOf(solver, steps), "call")}`;
};

function isComponent(row) {
  if (!(Array.isArray(row) && row.length === WIDTH && row.every(Number.isFinite))) return false;
  const [w, , , cxx, cxy, cyy] = row;
  return w > 0 && cxx > 0 && cxx * cyy > cxy ** 2;
}

// A sentence on what cannot be drawn, or nothing.
export function complaint({
  eta,
  steps,
  solver,
  exact_path,
  spacing,
  data,
  seed,
  points,
  mixtures,
}) {
  const counts = {
    steps: [steps, 1, 1000],
    points: [points, 1, 100000],
    seed: [seed, 0, MOST_SEED],
  };
  for (const [name, [value, low, high]] of Object.entries(counts))
    if (!(Number.isInteger(value) && value >= low && value <= high))
      return `need a whole number, ${low} <= ${name} <= ${high}, got ${name}=${value}`;
  if (!(Number.isFinite(eta) && eta >= 0 && eta <= 1)) return `need 0 <= eta <= 1, got eta=${eta}`;
  const solvers = Object.keys(SOLVERS).join(", ");
  if (!Object.hasOwn(SOLVERS, solver)) return `need solver among ${solvers}, got ${solver}`;
  if (typeof exact_path !== "boolean") return `need exact_path true or false, got ${exact_path}`;
  if (!(spacing in SPACINGS)) return `need spacing uniform, quadratic or log-snr, got ${spacing}`;
  const names = Object.keys(mixtures ?? {});
  if (!names.includes(data))
    return `need data among ${names.join(", ") || "no names at all"}, got ${data}`;
  const empty = !Array.isArray(mixtures[data]) || !mixtures[data].length;
  if (empty) return `need at least one component in ${data}, got none`;
  const bad = mixtures[data].find((row) => !isComponent(row));
  if (bad)
    return `need positive weights and positive definite covariances, got a component ${bad} in ${data}`;
}

// --- controls ------------------------------------------------------------------------------------

const TIME = {
  name: "time",
  title: "time, from noise to data",
  ends: ["noise", "data"],
  width: 1,
  kind: "time",
  value: (p) => p,
  place: (progress) => progress,
  nudge: (progress, by) => Math.min(Math.max(progress + by / 100, 0), 1),
};

// What the reader sees and touches; what the hand does goes out by `move`, `scrub` and `toggle`.
class Face {
  constructor(setting, { move, scrub, toggle }) {
    this.picture = new Picture();
    this.time = new Slider(TIME, scrub);
    this.eta = new Slider(ETA, (eta) => move({ eta, sigma_hat: false, solver: "ddim" }));
    this.steps = new Slider(STEPS, (steps) => move({ steps }));
    this.button = element("button", { type: "button", class: "play" });
    this.button.addEventListener("click", toggle);
    this.line = element("output");
    this.note = element("p", { class: "note" });
    this.trouble = element("p", { class: "trouble", role: "alert" });
    const knobs = element("div", { class: "knobs" }, this.eta.axis(), this.steps.axis());
    this.hint = element("p", { class: "note hint" });
    const ride = this.ride(move);
    const asked = setting.solver !== "ddim" || setting.exact_path;
    const parts = [
      this.picture.canvas,
      this.trouble,
      this.time.axis(this.button),
      this.line,
      knobs,
    ];
    if (asked) parts.push(element("div", { class: "fields" }, ...ride)); // else they are behind "more"
    const more = this.more(setting.mixtures, move, asked ? [] : ride);
    this.root = element("div", { class: "ddim ddim-flow" }, ...parts, this.hint, more);
  }

  // What belongs to the equation of η = 0.
  ride(move) {
    const names = Object.fromEntries(Object.entries(SOLVERS).map(([key, { name }]) => [key, name]));
    this.solver = choice("solver of the equation of η = 0", names, (solver) => move({ solver }));
    this.exact_path = element("input", { type: "checkbox" });
    this.exact_path.addEventListener("change", () => move({ exact_path: this.exact_path.checked }));
    return [field("solver", this.solver), field("exact paths", this.exact_path)];
  }

  more(mixtures, move, ride) {
    const names = Object.fromEntries(Object.keys(mixtures ?? {}).map((name) => [name, name]));
    this.data = choice("data set", names, (data) => move({ data }));
    this.spacing = choice("spacing of the times", SPACINGS, (spacing) => move({ spacing }));
    const whole = { type: "number", min: 0, max: MOST_SEED, step: 1 };
    this.seed = element("input", { ...whole, "aria-label": "seed of the noise" });
    this.seed.addEventListener("change", () => move({ seed: this.seed.valueAsNumber }));
    this.sigma_hat = element("input", { type: "checkbox" });
    const sigma_hat = () => move({ sigma_hat: this.sigma_hat.checked, solver: "ddim" });
    this.sigma_hat.addEventListener("change", sigma_hat);
    const choices = [
      field("data", this.data),
      field("spacing", this.spacing),
      field("seed", this.seed),
    ];
    choices.push(field("σ̂, DDPM's larger noise", this.sigma_hat), ...ride);
    const fields = element("div", { class: "fields" }, ...choices);
    return element("details", {}, element("summary", {}, "more"), fields, this.note);
  }

  show(setting) {
    const text = words(setting);
    const riding = setting.solver !== "ddim";
    this.eta.show(setting.eta, noiseOf(setting));
    this.steps.show(setting.steps, counted(setting.steps, "step"));
    this.eta.input.classList.toggle("idle", setting.sigma_hat || riding);
    this.solver.value = setting.solver;
    this.exact_path.checked = setting.exact_path;
    const { name } = SOLVERS[setting.solver];
    this.hint.textContent = riding
      ? `${name} solves the equation of η = 0: η is out of play. Move it, and DDIM is back.`
      : "";
    this.data.value = setting.data;
    this.spacing.value = setting.spacing;
    if (document.activeElement !== this.seed) this.seed.value = setting.seed;
    this.sigma_hat.checked = setting.sigma_hat && !riding;
    const beside = setting.exact_path ? ", beside their exact paths" : "";
    const label = `${setting.points} points flow from noise to ${setting.data}: ${text}${beside}`;
    this.picture.canvas.setAttribute("aria-label", label);
  }

  showPlaying(playing) {
    this.button.classList.toggle("playing", playing);
    this.button.setAttribute("aria-label", playing ? "pause" : "play from noise to data");
  }

  say(line, trouble = "") {
    this.line.textContent = line;
    this.trouble.textContent = trouble;
    this.trouble.hidden = !trouble;
    this.picture.canvas.hidden = !!trouble && !this.picture.ground;
  }
}

// --- the explorer --------------------------------------------------------------------------------

const BUDGET = 14; // ms of walking a frame: what is left of the points walks in the next ones
const JOURNEY = 3200;
const REST = 1800; // ms from noise to data, and there
const SLOWING = 1.6; // the end of the way, where most happens, takes the longer part of the time

class Explorer {
  constructor(model) {
    this.model = model;
    this.schedule = linearSchedule();
    this.face = new Face(this.setting, {
      move: (traits) => this.move(traits),
      scrub: (progress) => this.scrub(progress),
      toggle: () => this.play(!this.playing),
    });
    this.frame = this.frame.bind(this);
    this.changed = this.changed.bind(this);
    this.progress = 1;
  }

  get setting() {
    const names = [...SETTINGS, "points", "mixtures"];
    const setting = Object.fromEntries(names.map((name) => [name, this.model.get(name)]));
    return {
      ...setting,
      solver: setting.solver ?? "ddim",
      exact_path: setting.exact_path ?? false,
    };
  }

  start() {
    for (const name of SETTINGS) this.model.on(`change:${name}`, this.changed);
    const unwatch = watchLooks([this.face.picture.canvas], () => this.ask());
    const sight = new IntersectionObserver((entries) => {
      this.seen = entries.at(-1).isIntersecting;
      this.ask();
    });
    sight.observe(this.face.root);
    this.stop = () => {
      for (const name of SETTINGS) this.model.off(`change:${name}`, this.changed);
      unwatch();
      sight.disconnect();
      cancelAnimationFrame(this.asked);
    };
    this.renew();
    this.play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
  }

  move(traits) {
    for (const [name, value] of Object.entries(traits)) this.model.set(name, value);
    this.model.save_changes();
  }

  // A new setting shows what it leads to: a flow on its way jumps to its end.
  changed() {
    if (this.playing) {
      this.play(false);
      this.progress = 1;
    }
    this.renew();
  }

  renew() {
    const setting = this.setting;
    const trouble = complaint(setting);
    if (trouble) {
      this.walk = undefined; // nothing goes on until that is mended
      return this.face.say("", `This cannot be drawn: ${trouble}.`);
    }
    this.face.show(setting);
    this.prepare(setting);
    const { eta, sigma_hat: sigmaHat, solver, seed, points } = setting;
    const cloud = { plan: this.plan, points, noise: new Noise(seed, points) };
    this.walk = solver === "ddim" ? new Walk({ ...cloud, eta, sigmaHat }) : new Ride(cloud);
    this.compare(setting);
    this.ask();
  }

  // The exact paths stay while the sliders move; they are not thrown away when they are hidden.
  compare({ exact_path, seed, points }) {
    const { mixture, schedule, exact } = this;
    this.compared = exact_path;
    if (
      !exact_path ||
      (exact?.mixture === mixture && exact.seed === seed && exact.points === points)
    )
      return;
    this.exact = new ExactPaths({ mixture, schedule, points, noise: new Noise(seed, points) });
    Object.assign(this.exact, { mixture, seed });
  }

  // What stays while η moves.
  prepare({ mixtures, data, steps, solver, spacing, points }) {
    const key = `${steps} ${spacing} ${solver}`;
    if (this.mixture === mixtures[data] && this.key === key) return;
    if (this.mixture !== mixtures[data]) {
      this.mixture = mixtures[data];
      this.data = reference(this.mixture);
      this.target = shadows(this.data);
      const apart = distance(shadows(reference(this.mixture, points, 2)), this.target).toFixed(3);
      this.face.note.textContent = `Even ${points} points of the data themselves are ${apart} away.`;
    }
    this.key = key;
    const times = timesOf(this.schedule, steps, spacing);
    const setting = [this.mixture, this.schedule, times];
    this.plan = solver === "ddim" ? planOf(...setting) : solverPlan(...setting, solver);
  }

  play(playing) {
    this.playing = playing;
    if (playing && this.progress >= 1) this.progress = 0;
    this.since = performance.now() - JOURNEY * (1 - (1 - this.progress) ** (1 / SLOWING));
    this.face.showPlaying(playing);
    this.ask();
  }

  scrub(progress) {
    this.play(false);
    this.progress = progress;
  }

  ask() {
    this.asked ||= requestAnimationFrame(this.frame);
  }

  frame(now) {
    this.asked = 0;
    const { walk, face } = this;
    if (!walk || !face.root.isConnected) return;
    if (this.work()) this.measure();
    if (this.playing) this.travel(now);
    face.picture.fit(this.mixture, this.data);
    if (face.picture.ground) face.picture.paint(walk, this.progress, this.beside());
    this.tellTime();
    if ((this.playing && this.seen) || this.clouds().some((cloud) => cloud.done < cloud.points))
      this.ask();
  }

  clouds() {
    return this.compared ? [this.walk, this.exact] : [this.walk];
  }

  // Spend this frame's budget, on the sampler first; returns whether there is news.
  work() {
    const end = performance.now() + BUDGET;
    const known = this.clouds();
    let news = this.told !== this.walk || this.compared !== this.toldExact;
    for (const cloud of known)
      for (; cloud.done < cloud.points && performance.now() < end; news = true) cloud.advance();
    [this.told, this.toldExact] = [this.walk, this.compared];
    return news;
  }

  // The exact paths at the time that the sampler's points are shown at.
  beside() {
    if (!this.compared || !this.exact.done) return undefined;
    const { kept, paths } = this.walk;
    const { times } = this.plan;
    const moment = this.progress * (paths.length - 1);
    const low = Math.min(Math.floor(moment), paths.length - 2);
    const from = times[kept[low]];
    const t = from + (moment - low) * (times[kept[low + 1]] - from);
    return { paths: this.exact, moment: this.exact.momentAt(t) };
  }

  travel(now) {
    const passed = Math.max(now - this.since, 0);
    this.progress = 1 - (1 - Math.min(passed / JOURNEY, 1)) ** SLOWING;
    if (passed > JOURNEY + REST) this.since = now;
  }

  measure() {
    const { walk, exact, setting } = this;
    const sign = this.clouds().every((cloud) => cloud.done === cloud.points) ? "" : "≈ ";
    const apart = distance(shadows(walk.paths.at(-1), walk.done), this.target);
    const parts = [words(setting), `distance to the data ${sign}${apart.toFixed(3)}`];
    if (this.compared) {
      if (setting.solver === "ddim") parts.splice(1, 0, counted(setting.steps, "call"));
      parts.push(`${sign}${medianGap(walk, exact).toPrecision(2)} from the exact ends (median)`);
    }
    this.face.say(parts.join(" · "));
    Object.assign(this.face.root.dataset, { shown: words(setting), points: walk.done });
    if (this.compared) this.face.root.dataset.exact = exact.done;
    else delete this.face.root.dataset.exact;
  }

  tellTime() {
    const { times } = this.plan;
    const step = Math.round(this.progress * (times.length - 1));
    this.face.time.show(this.progress, `step ${step} of ${times.length - 1}, t = ${times[step]}`);
  }
}

function render({ model, el }) {
  const explorer = new Explorer(model);
  el.append(explorer.face.root);
  explorer.start();
  return () => explorer.stop();
}

export default { render };
