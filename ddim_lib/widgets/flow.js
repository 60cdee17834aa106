// Noise flows into data under the reader's hand: what may be asked for, the controls, the explorer.
// The sampler itself is in flow_sampler.js, what it looks like in flow_picture.js, the sliders in
// sliders.js.

// --- what the reader may ask for -----------------------------------------------------------------

const SETTINGS = ["eta", "steps", "sigma_hat", "spacing", "data", "seed"];
const MOST_SEED = 2 ** 32 - 1;
const SPACINGS = { uniform: "uniform", quadratic: "quadratic", "log-snr": "log-SNR" };

export const words = ({ eta, steps, sigma_hat }) =>
  `${steps} ${steps === 1 ? "step" : "steps"} · ${sigma_hat ? "σ̂" : `η = ${eta.toFixed(2)}`}`;

function isComponent(row) {
  if (!(Array.isArray(row) && row.length === WIDTH && row.every(Number.isFinite))) return false;
  const [w, , , cxx, cxy, cyy] = row;
  return w > 0 && cxx > 0 && cxx * cyy > cxy ** 2;
}

// A sentence on what cannot be drawn, or nothing.
export function complaint({ eta, steps, spacing, data, seed, points, mixtures }) {
  const counts = { steps: [steps, 1, 1000], points: [points, 1, 100000], seed: [seed, 0, MOST_SEED] };
  for (const [name, [value, low, high]] of Object.entries(counts))
    if (!(Number.isInteger(value) && value >= low && value <= high))
      return `need a whole number, ${low} <= ${name} <= ${high}, got ${name}=${value}`;
  if (!(Number.isFinite(eta) && eta >= 0 && eta <= 1)) return `need 0 <= eta <= 1, got eta=${eta}`;
  if (!(spacing in SPACINGS)) return `need spacing uniform, quadratic or log-snr, got ${spacing}`;
  const names = Object.keys(mixtures ?? {});
  if (!names.includes(data)) return `need data among ${names.join(", ") || "no names at all"}, got ${data}`;
  const empty = !Array.isArray(mixtures[data]) || !mixtures[data].length;
  if (empty) return `need at least one component in ${data}, got none`;
  const bad = mixtures[data].find((row) => !isComponent(row));
  if (bad) return `need positive weights and positive definite covariances, got a component ${bad} in ${data}`;
}

// --- controls ------------------------------------------------------------------------------------

const TIME = {
  name: "time", title: "time, from noise to data", ends: ["noise", "data"], width: 1, kind: "time",
  value: (p) => p, place: (progress) => progress,
  nudge: (progress, by) => Math.min(Math.max(progress + by / 100, 0), 1),
};
const field = (name, control) => element("label", {}, element("span", {}, name), control);

// What the reader sees and touches; what the hand does goes out by `move`, `scrub` and `toggle`.
class Face {
  constructor({ mixtures }, { move, scrub, toggle }) {
    this.picture = new Picture();
    this.time = new Slider(TIME, scrub);
    this.eta = new Slider(ETA, (eta) => move({ eta, sigma_hat: false }));
    this.steps = new Slider(STEPS, (steps) => move({ steps }));
    this.button = element("button", { type: "button", class: "play" });
    this.button.addEventListener("click", toggle);
    this.line = element("output");
    this.note = element("p", { class: "note" });
    this.trouble = element("p", { class: "trouble", role: "alert" });
    const knobs = element("div", { class: "knobs" }, this.eta.axis(), this.steps.axis());
    const parts = [this.picture.canvas, this.trouble, this.time.axis(this.button), this.line, knobs];
    this.root = element("div", { class: "ddim ddim-flow" }, ...parts, this.more(mixtures, move));
  }

  more(mixtures, move) {
    const names = Object.fromEntries(Object.keys(mixtures ?? {}).map((name) => [name, name]));
    this.data = choice("data set", names, (data) => move({ data }));
    this.spacing = choice("spacing of the times", SPACINGS, (spacing) => move({ spacing }));
    const whole = { type: "number", min: 0, max: MOST_SEED, step: 1 };
    this.seed = element("input", { ...whole, "aria-label": "seed of the noise" });
    this.seed.addEventListener("change", () => move({ seed: this.seed.valueAsNumber }));
    this.sigma_hat = element("input", { type: "checkbox" });
    this.sigma_hat.addEventListener("change", () => move({ sigma_hat: this.sigma_hat.checked }));
    const choices = [field("data", this.data), field("spacing", this.spacing), field("seed", this.seed)];
    const fields = element("div", { class: "fields" }, ...choices, field("σ̂, DDPM's larger noise", this.sigma_hat));
    return element("details", {}, element("summary", {}, "more"), fields, this.note);
  }

  show(setting) {
    const text = words(setting);
    this.eta.show(setting.eta, setting.sigma_hat ? "σ̂" : `η = ${setting.eta.toFixed(2)}`);
    this.steps.show(setting.steps, `${setting.steps} ${setting.steps === 1 ? "step" : "steps"}`);
    this.eta.input.classList.toggle("idle", setting.sigma_hat);
    this.data.value = setting.data;
    this.spacing.value = setting.spacing;
    if (document.activeElement !== this.seed) this.seed.value = setting.seed;
    this.sigma_hat.checked = setting.sigma_hat;
    const label = `${setting.points} points flow from noise to ${setting.data}: ${text}`;
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
const JOURNEY = 3200, REST = 1800; // ms from noise to data, and there
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
    return Object.fromEntries([...SETTINGS, "points", "mixtures"].map((name) => [name, this.model.get(name)]));
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
    const setting = this.setting, trouble = complaint(setting);
    if (trouble) return this.face.say("", `This cannot be drawn: ${trouble}.`);
    this.face.show(setting);
    this.prepare(setting);
    const { eta, sigma_hat: sigmaHat, seed, points } = setting;
    this.walk = new Walk({ plan: this.plan, eta, sigmaHat, points, noise: new Noise(seed, points) });
    this.ask();
  }

  // What stays while η moves.
  prepare({ mixtures, data, steps, spacing, points }) {
    const key = `${steps} ${spacing}`;
    if (this.mixture === mixtures[data] && this.key === key) return;
    if (this.mixture !== mixtures[data]) {
      this.mixture = mixtures[data];
      this.data = reference(this.mixture);
      this.target = shadows(this.data);
      const apart = distance(shadows(reference(this.mixture, points, 2)), this.target).toFixed(3);
      this.face.note.textContent = `Even ${points} points of the data themselves are ${apart} away.`;
    }
    this.key = key;
    this.plan = planOf(this.mixture, this.schedule, timesOf(this.schedule, steps, spacing));
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
    const { walk, face } = this, before = walk?.done;
    if (!walk || !face.root.isConnected) return;
    for (const end = performance.now() + BUDGET; walk.done < walk.points && performance.now() < end; ) walk.advance();
    if (walk.done > before) this.measure();
    if (this.playing) this.travel(now);
    face.picture.fit(this.mixture, this.data);
    if (face.picture.ground) face.picture.paint(walk, this.progress);
    this.tellTime();
    if ((this.playing && this.seen) || walk.done < walk.points) this.ask();
  }

  travel(now) {
    const passed = Math.max(now - this.since, 0);
    this.progress = 1 - (1 - Math.min(passed / JOURNEY, 1)) ** SLOWING;
    if (passed > JOURNEY + REST) this.since = now;
  }

  measure() {
    const { walk } = this, whole = walk.done === walk.points;
    const apart = distance(shadows(walk.paths.at(-1), walk.done), this.target);
    this.face.say(`${words(this.setting)} · distance to the data ${whole ? "" : "≈ "}${apart.toFixed(3)}`);
    this.face.root.dataset.shown = words(this.setting);
    this.face.root.dataset.points = walk.done;
  }

  tellTime() {
    const { times } = this.plan, step = Math.round(this.progress * (times.length - 1));
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
