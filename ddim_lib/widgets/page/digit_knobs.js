// What the hand has on the digits that the page's network samples: sliders, a view, a seed.

import { choice, ETA, element, field, Seed, Slider, STEPS } from "./sliders.js";
import { GRID, SLIDERS } from "./words.js";
import { NETWORK } from "./words_network.js";

// From noise to data: a key moves it by one of the moments that are kept.
const timeScale = (frames) => ({
  ...SLIDERS.time,
  kind: "time",
  width: 1,
  value: (p) => p,
  place: (p) => p,
  nudge: (p, by) => Math.min(Math.max(p + by / frames(), 0), 1),
});

export class DigitKnobs {
  // move, look, choose: called with traits, with what is looked at, with a seed; frames: how many moments.
  constructor({ move, look, choose, frames }) {
    const moved = (name) => (value) => move({ [name]: value });
    this.settings = {
      eta: new Slider(ETA, moved("eta")),
      steps: new Slider(STEPS, moved("steps")),
    };
    this.time = new Slider(
      timeScale(() => frames() - 1),
      (scrub) => look({ scrub }),
    );
    const view = choice(NETWORK.viewTitle, NETWORK.views, (name) => look({ view: name }));
    this.seed = new Seed(choose);
    const { eta, steps } = this.settings;
    this.axes = [this.time.axis(), eta.axis(), steps.axis()];
    const fields = [field(NETWORK.view, view), this.seed.root];
    this.fields = element("div", { class: "fields" }, ...fields);
  }

  show(wanted) {
    for (const [name, slider] of Object.entries(this.settings))
      slider.show(wanted[name], GRID.setting(wanted.eta, wanted.steps));
  }

  // t: where the walk is looked at, or nothing, where it has not come so far.
  showLook({ scrub, seed }, t) {
    this.time.show(scrub, t === undefined ? NETWORK.computing : NETWORK.time(t));
    this.seed.show(seed);
  }
}
