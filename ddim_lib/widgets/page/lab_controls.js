// What a reader of the lab moves: pads, tasks, sliders, buttons; and the question beside each task.

import { MOST_SEED } from "./bounds.js";
import { NOISES, TASKS } from "./lab_tasks.js";
import { siteBytes } from "./network.js";
import { Pad } from "./pad.js";
import { T } from "./schedule.js";
import { ETA, element, Slider, STEPS } from "./sliders.js";
import { SLIDERS, WORDS } from "./words.js";
import { LAB, PAD } from "./words_lab.js";

export const LAST_SEED = MOST_SEED - NOISES; // several begin with it
const TIME = {
  ...SLIDERS.t,
  kind: "noising",
  low: 1,
  width: T,
  value: (p) => Math.round(p),
  place: (t) => t,
  nudge: (t, by) => Math.min(Math.max(t + 5 * by, 1), T),
};

const buttonOf = (word, press) => {
  const button = element("button", { type: "button" }, word);
  button.addEventListener("click", press);
  return button;
};

export class Controls {
  // move: called with traits; preview: with a pad's name and its pixels while a stroke grows.
  constructor(stored, originals, { move, preview }) {
    const moving = (name) => (value) => move({ [name]: value });
    const padOf = (name) =>
      new Pad(PAD[name], originals, { change: moving(name), preview: (x) => preview(name, x) });
    this.pads = { a: padOf("a"), b: padOf("b") };
    this.sliders = {
      t: new Slider(TIME, moving("t")),
      eta: new Slider(ETA, moving("eta")),
      steps: new Slider(STEPS, moving("steps")),
    };
    this.axes = Object.entries(this.sliders).map(([name, slider]) => [name, slider.axis()]);
    this.radios = Object.keys(LAB.tasks).map((value) => {
      const radio = element("input", { type: "radio", name: "lab-task", value });
      radio.addEventListener("change", () => move({ task: value }));
      return radio;
    });
    this.otherNoise = buttonOf(LAB.otherNoise, () =>
      move({ seed: this.seed + NOISES > LAST_SEED ? 0 : this.seed + NOISES }),
    );
    this.again = buttonOf(LAB.again, () => move(stored));
    this.question = element("p", { class: "question" });
  }

  // The tasks, then what is drawn beside what is turned.
  get parts() {
    const labels = this.radios.map((radio) => element("label", {}, radio, LAB.tasks[radio.value]));
    const legend = element("legend", {}, LAB.title);
    const tasks = element("fieldset", { class: "tasks" }, legend, ...labels);
    this.drawn = element("div", { class: "pads" }, this.pads.a.root, this.pads.b.root);
    const turned = element("div", { class: "turned" }, ...this.axes.map(([, axis]) => axis));
    return [tasks, element("div", { class: "bench" }, this.drawn, turned)];
  }

  show({ task, a, b, t, eta, steps, seed }) {
    const { knobs } = TASKS[task];
    this.seed = seed;
    for (const radio of this.radios) radio.checked = radio.value === task;
    for (const [name, axis] of this.axes) axis.hidden = !knobs.includes(name);
    this.otherNoise.hidden = !knobs.includes("seed");
    this.pads.a.show(a);
    this.pads.b.show(b);
    this.pads.b.root.hidden = task !== "mix";
    this.drawn.classList.toggle("two", task === "mix");
    this.sliders.t.show(t, LAB.time(t));
    this.sliders.eta.show(eta, WORDS.eta(eta.toFixed(2)));
    this.sliders.steps.show(steps, WORDS.steps(steps));
    if (this.asked !== task) this.ask(task);
  }

  // On the site with a link to the chapter that answers.
  ask(task) {
    const [question, where, file] = LAB.questions[task];
    const link = siteBytes() ? element("a", { href: `${file}.html` }, where) : where;
    this.question.replaceChildren(question, " ", element("span", {}, LAB.answer, link, "."));
    this.asked = task;
  }
}
