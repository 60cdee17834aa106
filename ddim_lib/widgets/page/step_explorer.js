// An explorer of one step t -> s of a schedule cut into pieces: chain and posterior.

import { outOfBounds } from "./bounds.js";
import { lineOf, short } from "./numbers.js";
import { PlotExplorer } from "./plot_explorer.js";
import { T } from "./schedule.js";
import { ETA, Slider, STEPS } from "./sliders.js";
import { pieceOf, stepOf } from "./step.js";
import { SLIDERS, STEP, WORDS } from "./words.js";

// The times of the grid, as a slider over t: it stops at each.
const timeScale = (times) => ({
  ...SLIDERS.t,
  width: T,
  kind: "noising",
  snaps: true,
  value: (p) =>
    times()
      .slice(0, -1)
      .reduce((best, t) => (Math.abs(t - p) < Math.abs(best - p) ? t : best)),
  place: (t) => t,
  nudge(t, by) {
    const stops = times();
    const i = stops.indexOf(t) - by;
    return stops[Math.min(Math.max(i, 0), stops.length - 2)];
  },
});

export class StepExplorer extends PlotExplorer {
  constructor(model, kind, names, plots) {
    super(model, kind, ["t", "steps", "eta", ...names], plots);
    this.t = new Slider(
      timeScale(() => this.piece.times),
      (t) => this.move({ t }),
    );
    this.steps = new Slider(STEPS, (steps) => this.move({ steps }));
    this.eta = new Slider(ETA, (eta) => this.move({ eta }));
  }

  complaint(setting, { real, names } = {}) {
    const whole = { t: [1, T], steps: [1, T] };
    return outOfBounds(setting, { whole, real: { eta: [0, 1], ...real }, names });
  }

  // Cut the schedule, and show where the sliders stand.
  cut(schedule, { t, steps, eta }) {
    this.piece = pieceOf(schedule, steps, t);
    this.step = stepOf(schedule, this.piece.t, this.piece.s, eta);
    this.t.show(this.piece.t, STEP.piece(this.piece.t, this.piece.s));
    this.steps.show(steps, WORDS.steps(steps));
    this.eta.show(eta, WORDS.eta(eta.toFixed(2)));
  }

  // The line in words: the step, some of its numbers, and a last item.
  items(names, last) {
    const numbers = names.map((name) => `${STEP.letters[name]} ${short(this.step[name])}`);
    return lineOf([STEP.piece(this.piece.t, this.piece.s), ...numbers, last]);
  }
}
