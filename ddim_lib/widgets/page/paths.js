// The paths explorer: many paths at once from noise to data, over the density that they all share.

import { MOST_SEED, outOfBounds } from "./bounds.js";
import { rendering } from "./explorer.js";
import { fixed, lineOf } from "./numbers.js";
import { DRAWN, Heat, paintPaths } from "./paths_picture.js";
import {
  apart,
  floorOf,
  MOST_COUNT,
  MOST_ETA,
  MOST_START,
  mostEta,
  Paths,
  SPOILT,
  Wiener,
} from "./paths_sampler.js";
import { css, Plot } from "./plot.js";
import { PlotExplorer } from "./plot_explorer.js";
import { linearSchedule, T } from "./schedule.js";
import { ETA, element, field, Seed, Slider, STEPS, tick, valueScale } from "./sliders.js";
import { PATHS, SLIDERS, WORDS } from "./words.js";

const MOMENTS = 250; // of a thin path at most
const BUDGET = 14; // ms of walking a frame: the paths that are left walk in the next ones

const NAMES = ["eta", "steps", "start", "count", "seed", "spoilt"];
const BOUNDS = {
  whole: { steps: [1, T], count: [1, MOST_COUNT], seed: [0, MOST_SEED] },
  real: { eta: [0, MOST_ETA], start: [-MOST_START, MOST_START] },
  onOff: ["spoilt"],
};
const DOSE = {
  ...ETA,
  ...SLIDERS.dose,
  width: MOST_ETA,
  kind: "dose",
  nudge: (eta, by) => Math.min(Math.max(Math.round(eta * 100 + by) / 100, 0), MOST_ETA),
};

class PathsExplorer extends PlotExplorer {
  constructor(model) {
    const plot = new Plot("paths");
    super(model, "ddim-paths", NAMES, [plot]);
    Object.assign(this, { plot, schedule: linearSchedule(T), floors: {} });
    this.heat = new Heat(this.schedule);
    this.eta = new Slider(DOSE, (eta) => this.move({ eta }));
    this.steps = new Slider(STEPS, (steps) => this.move({ steps }));
    this.from = new Slider(valueScale(SLIDERS.start, MOST_START), (start) => this.move({ start }));
    this.count = new Slider({ ...STEPS, ...SLIDERS.count }, (count) => this.move({ count }));
    this.seed = new Seed((seed) => this.move({ seed }));
    this.spoilt = tick((spoilt) => this.move({ spoilt }));
    this.addLegend(PATHS.legend(DRAWN));
    const knobs = [this.steps, this.from, this.count].map((slider) => slider.axis());
    const wrong = field(PATHS.spoilt(SPOILT.from, SPOILT.to), this.spoilt);
    const fields = element("div", { class: "fields" }, this.seed.root, wrong);
    this.root.append(this.eta.axis(), element("div", { class: "knobs" }, ...knobs, fields));
  }

  complaint(setting) {
    return outOfBounds(setting, BOUNDS);
  }

  // What the setting means; the walks themselves are made while it is painted.
  words(setting) {
    const { steps, start, count, seed, spoilt } = setting;
    const most = mostEta(this.schedule, steps);
    const eta = Math.min(setting.eta, most);
    const key = [steps, eta, count, seed, spoilt].join();
    this.given = { ...setting, eta, atMost: setting.eta >= most };
    if (this.key !== key) this.prepare(key, this.given);
    this.mine = this.paths.from(start, this.own.row);
    const dose = eta.toFixed(2);
    this.eta.show(eta, this.given.atMost ? PATHS.most(dose, steps) : WORDS.eta(dose));
    this.steps.show(steps, WORDS.steps(steps));
    this.from.show(start, PATHS.start(fixed(start)));
    this.count.show(count, PATHS.paths(count));
    this.seed.show(seed);
    this.spoilt.checked = spoilt;
    return this.found();
  }

  prepare(key, { steps, eta, count, seed, spoilt }) {
    if (this.sown !== seed) {
      const all = new Wiener(seed, MOST_COUNT + 1);
      Object.assign(this, { sown: seed, chance: all, own: all.of(MOST_COUNT) });
    }
    this.paths = new Paths({ schedule: this.schedule, steps, eta, spoilt });
    const every = Math.ceil(steps / MOMENTS);
    const kept = this.paths.times.map((_, i) => i).filter((i) => i % every === 0 || i === steps);
    Object.assign(this, { key, kept, done: 0, crossed: 0, lines: [] });
    this.ends = new Float64Array(count);
    this.root.dataset.done = 0;
  }

  // As many more paths as a frame has time for.
  advance() {
    const { count } = this.given;
    const end = performance.now() + BUDGET;
    for (; this.done < count && performance.now() < end; this.done++) {
      const { start, row } = this.chance.of(this.done);
      const all = this.paths.from(start, row);
      const last = all.at(-1);
      if (this.done < DRAWN) this.lines.push(this.kept.map((i) => all[i]));
      this.crossed += start * last < 0;
      this.ends[this.done] = last;
    }
  }

  // The line in words: the setting, and what the paths that have walked so far say.
  found() {
    const { steps, eta, count, atMost } = this.given;
    const dose = eta.toFixed(2);
    const items = [WORDS.steps(steps), atMost ? PATHS.mostEta(dose) : WORDS.eta(dose)];
    if (this.done) {
      this.floors[count] ??= floorOf(count);
      const w1 = apart(this.ends.subarray(0, this.done));
      const sign = this.done === count ? "" : "≈ ";
      items.push(PATHS.away(sign, w1.toFixed(3), this.floors[count].toFixed(3)));
      items.push(PATHS.crossed(((100 * this.crossed) / this.done).toFixed(0)));
    }
    return lineOf(items);
  }

  paint(plot) {
    if (this.done < this.given.count) this.advance();
    const line = this.found();
    this.line.textContent = line;
    const { start, count } = this.given;
    const { schedule, heat, lines, kept, done, mine } = this;
    const { times } = this.paths;
    paintPaths(plot, {
      schedule,
      heat,
      lines,
      kept,
      mine,
      times,
      ends: this.ends.subarray(0, done),
    });
    plot.tell(PATHS.picture(count, fixed(start), fixed(mine.at(-1)), line));
    const { DATA, NOISE } = plot.tones;
    const blue = css(DATA);
    const lone = { thin: plot.ink, data: plot.ink };
    this.paintLegend({ ...lone, density: blue, landed: blue, yours: css(NOISE) });
    if (done < count) this.ask();
    this.root.dataset.done = done;
  }
}

export default rendering(PathsExplorer);
