// The chain explorer: a schedule cut into pieces, and what one piece makes of two neighbours.

import { paintCurves } from "./chain_curves.js";
import { drawsOf, paintPairs } from "./chain_pairs.js";
import { rendering } from "./explorer.js";
import { short } from "./numbers.js";
import { Plot } from "./plot.js";
import { choice, element } from "./sliders.js";
import { scheduleOf } from "./step.js";
import { StepExplorer } from "./step_explorer.js";
import { CHAIN, SCHEDULES } from "./words.js";

class ChainExplorer extends StepExplorer {
  constructor(model) {
    const curves = new Plot("curves");
    const pairs = new Plot("pairs");
    super(model, "ddim-chain", ["schedule"], [curves, pairs]);
    Object.assign(this, { curves, pairs, linear: scheduleOf("linear"), draws: drawsOf() });
    this.choice = choice(CHAIN.schedule, SCHEDULES, (schedule) => this.move({ schedule }));
    const name = element("span", {}, CHAIN.schedule);
    const menu = element("label", { class: "menu" }, name, this.choice);
    const knobs = [this.t, this.steps, this.eta].map((slider) => slider.axis());
    this.root.append(element("div", { class: "knobs" }, ...knobs, menu));
  }

  complaint(setting) {
    return super.complaint(setting, { names: { schedule: Object.keys(SCHEDULES) } });
  }

  words(setting) {
    const { schedule, steps, eta } = setting;
    if (this.name !== schedule)
      Object.assign(this, { name: schedule, schedule: scheduleOf(schedule) });
    this.cut(this.schedule, setting);
    this.choice.value = schedule;
    const { correlation } = this.step;
    const tie = CHAIN.tie(correlation === undefined ? "" : short(correlation));
    const line = this.items(["alpha", "kappa", "lambda", "sigma"], tie);
    this.curves.tell(CHAIN.curves(schedule, steps, line));
    this.pairs.tell(CHAIN.pairs(eta.toFixed(2), line));
    return line;
  }

  paint(plot) {
    const { piece, step, schedule, linear, draws } = this;
    const other = this.name === "linear" ? undefined : linear;
    if (plot === this.curves) paintCurves(plot, { piece, schedule, other });
    else paintPairs(plot, { piece, step, schedule, draws });
  }
}

export default rendering(ChainExplorer);
