// The flow explorer: noise flows into data under the reader's hand.

import { Noise } from "./chance.js";
import { distance, medianGap, reference, shadows } from "./distance.js";
import { planOf } from "./exact.js";
import { Explorer, rendering } from "./explorer.js";
import { Knobs, pictureInWords } from "./flow_knobs.js";
import { Picture } from "./flow_picture.js";
import { complaint, inWords, SETTINGS } from "./flow_setting.js";
import { ExactPaths, Ride, solverPlan } from "./ode.js";
import { linearSchedule, timesOf } from "./schedule.js";
import { Walk } from "./walk.js";
import { FLOW } from "./words.js";

const BUDGET = 14; // ms of walking a frame: what is left of the points walks in the next ones
const JOURNEY = 3200;
const REST = 1800; // ms from noise to data, and there
const SLOWING = 1.6; // the end of the way, where most happens, takes the longer part of the time

class FlowExplorer extends Explorer {
  constructor(model) {
    const picture = new Picture();
    super(model, "ddim-flow", SETTINGS, [picture.canvas]);
    Object.assign(this, { picture, schedule: linearSchedule(), progress: 1 });
    this.knobs = new Knobs(this.setting, {
      move: (traits) => this.move(traits),
      scrub: (progress) => this.scrub(progress),
      toggle: () => this.play(!this.playing),
    });
    const { above, below } = this.knobs;
    this.root.append(picture.canvas, this.trouble, ...above, this.line, ...below);
  }

  get setting() {
    const [points, mixtures] = ["points", "mixtures"].map((name) => this.model.get(name));
    const setting = super.setting;
    const { solver, exact_path } = setting; // a state from before there were solvers has neither
    const since = { solver: solver ?? "ddim", exact_path: exact_path ?? false };
    return { ...setting, ...since, points, mixtures };
  }

  complaint(setting) {
    return complaint(setting);
  }

  start() {
    const stop = super.start();
    const sight = new IntersectionObserver((entries) => {
      this.seen = entries.at(-1).isIntersecting;
      this.ask();
    });
    sight.observe(this.root);
    this.play(!matchMedia("(prefers-reduced-motion: reduce)").matches);
    return () => {
      stop();
      sight.disconnect();
    };
  }

  // A new setting shows what it leads to: a flow on its way jumps to its end.
  renew() {
    if (this.playing) {
      this.play(false);
      this.progress = 1;
    }
    super.renew();
  }

  show(setting) {
    this.knobs.show(setting);
    this.picture.canvas.setAttribute("aria-label", pictureInWords(setting));
    this.prepare(setting);
    const { eta, sigma_hat: sigmaHat, solver, seed, points } = setting;
    const cloud = { plan: this.plan, points, noise: new Noise(seed, points) };
    this.walk = solver === "ddim" ? new Walk({ ...cloud, eta, sigmaHat }) : new Ride(cloud);
    this.compare(setting);
    this.say(this.line.textContent);
  }

  // The exact paths stay while the sliders move; they are not thrown away when they are hidden.
  compare({ exact_path, seed, points }) {
    const { mixture, schedule, exact } = this;
    this.compared = exact_path;
    const same = exact?.mixture === mixture && exact.seed === seed && exact.points === points;
    if (!exact_path || same) return;
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
      this.knobs.note.textContent = FLOW.note(points, apart);
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
    this.knobs.showPlaying(playing);
    this.ask();
  }

  scrub(progress) {
    this.play(false);
    this.progress = progress;
  }

  frame(now) {
    if (this.work()) this.measure();
    if (this.playing) this.travel(now);
    this.picture.fit(this.mixture, this.data);
    if (this.picture.ground) this.picture.paint(this.walk, this.progress, this.beside());
    this.knobs.showTime(this.progress, this.plan.times);
    if ((this.playing && this.seen) || !this.all((cloud) => cloud.done === cloud.points))
      this.ask();
  }

  all(test) {
    return test(this.walk) && (!this.compared || test(this.exact));
  }

  // Spend this frame's budget, on the sampler first; returns whether there is news.
  work() {
    const end = performance.now() + BUDGET;
    let news = this.told !== this.walk || this.compared !== this.toldExact;
    for (const cloud of this.compared ? [this.walk, this.exact] : [this.walk])
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
    const sign = this.all((cloud) => cloud.done === cloud.points) ? "" : "≈ ";
    const apart = distance(shadows(walk.paths.at(-1), walk.done), this.target);
    const parts = [inWords(setting), FLOW.away(sign, apart.toFixed(3))];
    if (this.compared) {
      if (setting.solver === "ddim") parts.splice(1, 0, FLOW.calls(setting.steps));
      parts.push(FLOW.missed(sign, medianGap(walk, exact).toPrecision(2)));
    }
    this.say(parts.join(" · "));
    Object.assign(this.root.dataset, { shown: inWords(setting), points: walk.done });
    if (this.compared) this.root.dataset.exact = exact.done;
    else delete this.root.dataset.exact;
  }
}

export default rendering(FlowExplorer);
