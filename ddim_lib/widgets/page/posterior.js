// The posterior explorer: between x_0 and x_t stands x_s; what each says of it, and both together.

import { beliefs } from "./bayes.js";
import { rendering } from "./explorer.js";
import { fixed, short } from "./numbers.js";
import { css, Plot } from "./plot.js";
import { LANE, paintBeliefs, placeOf, valueAt } from "./posterior_picture.js";
import { element, Slider, valueScale } from "./sliders.js";
import { scheduleOf } from "./step.js";
import { StepExplorer } from "./step_explorer.js";
import { POSTERIOR, SLIDERS } from "./words.js";

const MOST_X = 3; // of x_0 and x_t, in data units
const GRIP = 30; // px: a hand this near to a point takes it

class PosteriorExplorer extends StepExplorer {
  constructor(model) {
    const plot = new Plot("bayes");
    super(model, "ddim-posterior", ["x_0", "x_t"], [plot]);
    Object.assign(this, { plot, schedule: scheduleOf("linear") });
    this.addLegend(POSTERIOR.legend);
    this.x_t = new Slider(valueScale(SLIDERS.x_t, MOST_X), (x_t) => this.move({ x_t }));
    this.x_0 = new Slider(valueScale(SLIDERS.x_0, MOST_X), (x_0) => this.move({ x_0 }));
    const knobs = [this.x_t, this.x_0, this.t, this.steps].map((slider) => slider.axis());
    this.root.append(this.eta.axis(), element("div", { class: "knobs" }, ...knobs));
    this.listen(plot.canvas);
  }

  complaint(setting) {
    const range = [-MOST_X, MOST_X];
    return super.complaint(setting, { real: { x_0: range, x_t: range } });
  }

  words(setting) {
    const { x_0, x_t, eta } = setting;
    this.cut(this.schedule, setting);
    this.given = { x_0, x_t, eta };
    this.believed = beliefs(this.schedule, this.piece, this.given);
    this.x_0.show(x_0, POSTERIOR.value("x_0", fixed(x_0)));
    this.x_t.show(x_t, POSTERIOR.value("x_t", fixed(x_t)));
    const { mean, sd } = this.believed.posterior;
    const result = POSTERIOR.result(fixed(mean), short(sd));
    const line = this.items(["kappa", "lambda", "sigma"], result);
    this.plot.tell(POSTERIOR.picture(fixed(x_0), fixed(x_t), eta.toFixed(2), line));
    return line;
  }

  paint(plot) {
    const { NOISE, MIDDLE, DATA } = plot.tones;
    const tones = {
      bayes: plot.ink,
      prior: css(DATA),
      likelihood: css(NOISE),
      posterior: css(MIDDLE),
    };
    this.paintLegend(tones);
    this.legend.lastChild.hidden = this.given.eta === 1;
    paintBeliefs(plot, this.believed, { given: this.given, t: this.piece.t, tones });
  }

  // --- the hand on the points in the picture ---

  listen(canvas) {
    const value = (event) => {
      const x = valueAt(this.plot, event.clientX - canvas.getBoundingClientRect().left);
      return Math.round(Math.min(Math.max(x, -MOST_X), MOST_X) * 100) / 100;
    };
    canvas.addEventListener("pointerdown", (event) => {
      this.held = this.near(event);
      if (this.held) canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      canvas.style.cursor = this.held || this.near(event) ? "grab" : "";
      if (this.held) this.move({ [this.held]: value(event) });
    });
    const release = () => {
      this.held = undefined;
    };
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, release);
  }

  near(event) {
    const box = this.plot.canvas.getBoundingClientRect();
    const lanes = { x_t: LANE, x_0: this.plot.height - LANE };
    return Object.keys(lanes).find((name) => {
      const dx = event.clientX - box.left - placeOf(this.plot, this.given[name]);
      return Math.hypot(dx, event.clientY - box.top - lanes[name]) < GRIP;
    });
  }
}

export default rendering(PosteriorExplorer);
