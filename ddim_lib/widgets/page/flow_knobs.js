// The controls of a flow: time, η and steps; the rest behind "more".

import { inWords, noiseOf } from "./flow_setting.js";
import { choice, ETA, element, field, Seed, Slider, STEPS, tick } from "./sliders.js";
import { FLOW, SLIDERS, SOLVER_NAMES, SPACINGS, WORDS } from "./words.js";

const TIME = {
  ...SLIDERS.time,
  width: 1,
  kind: "time",
  value: (p) => p,
  place: (progress) => progress,
  nudge: (progress, by) => Math.min(Math.max(progress + by / 100, 0), 1),
};

// What the hand does goes out by `move`, `scrub` and `toggle`.
export class Knobs {
  constructor({ solver, exact_path, mixtures }, { move, scrub, toggle }) {
    this.time = new Slider(TIME, scrub);
    this.eta = new Slider(ETA, (eta) => move({ eta, sigma_hat: false, solver: "ddim" }));
    this.steps = new Slider(STEPS, (steps) => move({ steps }));
    this.button = element("button", { type: "button", class: "play" });
    this.button.addEventListener("click", toggle);
    this.note = element("p", { class: "note" });
    this.hint = element("p", { class: "note hint" });
    const ride = this.ride(move);
    const asked = solver !== "ddim" || exact_path; // else they are behind "more"
    this.above = [this.time.axis(this.button)];
    this.below = [element("div", { class: "knobs" }, this.eta.axis(), this.steps.axis())];
    if (asked) this.below.push(element("div", { class: "fields" }, ...ride));
    this.below.push(this.hint, this.more(mixtures, move, asked ? [] : ride));
  }

  // What belongs to the equation of η = 0.
  ride(move) {
    this.solver = choice(FLOW.solverTitle, SOLVER_NAMES, (solver) => move({ solver }));
    this.exact_path = tick((exact_path) => move({ exact_path }));
    return [field(FLOW.solver, this.solver), field(FLOW.exact, this.exact_path)];
  }

  more(mixtures, move, ride) {
    const names = Object.fromEntries(Object.keys(mixtures ?? {}).map((name) => [name, name]));
    this.data = choice(FLOW.dataTitle, names, (data) => move({ data }));
    this.spacing = choice(FLOW.spacingTitle, SPACINGS, (spacing) => move({ spacing }));
    this.seed = new Seed((seed) => move({ seed }));
    this.sigma_hat = tick((sigma_hat) => move({ sigma_hat, solver: "ddim" }));
    const fields = [
      field(FLOW.data, this.data),
      field(FLOW.spacing, this.spacing),
      this.seed.root,
      field(FLOW.large, this.sigma_hat),
      ...ride,
    ];
    const summary = element("summary", {}, FLOW.more);
    return element(
      "details",
      {},
      summary,
      element("div", { class: "fields" }, ...fields),
      this.note,
    );
  }

  show(setting) {
    const riding = setting.solver !== "ddim";
    this.eta.show(setting.eta, noiseOf(setting));
    this.steps.show(setting.steps, WORDS.steps(setting.steps));
    this.eta.input.classList.toggle("idle", setting.sigma_hat || riding);
    for (const name of ["solver", "data", "spacing"]) this[name].value = setting[name];
    this.exact_path.checked = setting.exact_path;
    this.sigma_hat.checked = setting.sigma_hat && !riding;
    this.seed.show(setting.seed);
    this.hint.textContent = riding ? FLOW.hint(setting.solver) : "";
  }

  showPlaying(playing) {
    this.button.classList.toggle("playing", playing);
    this.button.setAttribute("aria-label", playing ? FLOW.pause : FLOW.play);
  }

  showTime(progress, times) {
    const step = Math.round(progress * (times.length - 1));
    this.time.show(progress, FLOW.step(step, times.length - 1, times[step]));
  }
}

export const pictureInWords = (setting) =>
  FLOW.picture(setting.points, setting.data, inWords(setting), setting.exact_path);
