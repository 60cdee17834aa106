// The controls that explorers share: a native range under a name, with its ends in words, menus,
// and fields.

import { MOST_SEED } from "./bounds.js";
import { SLIDERS, WORDS } from "./words.js";

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// An element's text, where it is another: its letters change, no node comes or goes. A theme that watches
// a page for nodes measures every box of it when one does.
export function write(node, text) {
  if (node.textContent === text) return;
  if (node.firstChild) node.firstChild.data = text;
  else node.textContent = text;
}

// A row: a name or a button, the control, and under it what its two ends mean.
export function axisOf(before, control, ends = [], kind = "") {
  const words = ends.map((end) => element("span", {}, end));
  const under = element("div", { class: "ends", "aria-hidden": "true" }, ...words);
  return element(
    "div",
    { class: `axis ${kind}`.trim() },
    element("div", { class: "rail" }, before, control),
    under,
  );
}

export const KEYS = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
  PageUp: 10,
  PageDown: -10,
};

// place: where a value stands on the slider; value: what a position means; nudge: where a key moves
// it; snaps: whether the thumb stands at values only.
export const ETA = {
  ...SLIDERS.eta,
  width: 1,
  value: (p) => Math.round(p * 1000) / 1000,
  place: (eta) => eta,
  nudge: (eta, by) => Math.min(Math.max(Math.round(eta * 100 + by) / 100, 0), 1),
};
export const STEPS = {
  ...SLIDERS.steps,
  width: 3,
  value: (p) => Math.round(10 ** p),
  place: (steps) => Math.log10(steps),
  nudge(steps, by) {
    // by a twentieth, and by one at least
    const moved = Math.round(steps * 1.05 ** by);
    return Math.min(
      Math.max(by > 0 ? Math.max(moved, steps + 1) : Math.min(moved, steps - 1), 1),
      1000,
    );
  },
};

// A value from -most to most, to two places.
export const valueScale = (words, most) => ({
  ...words,
  low: -most,
  width: most,
  value: (p) => Math.round(p * 100) / 100,
  place: (v) => v,
  nudge: (v, by) => Math.min(Math.max(Math.round(v * 100 + 5 * by) / 100, -most), most),
});

// A native range; scale says how a position becomes a value, and where a key moves it.
export class Slider {
  constructor(scale, move) {
    Object.assign(this, { scale, move });
    const range = { type: "range", min: scale.low ?? 0, max: scale.width, step: "any" };
    this.input = element("input", { ...range, "aria-label": scale.title });
    this.input.addEventListener("input", () => move(scale.value(Number(this.input.value))));
    this.input.addEventListener("keydown", (event) => {
      if (!(event.key in KEYS)) return;
      event.preventDefault(); // equal moves of the thumb would be unequal ones of the value
      move(scale.nudge(this.shown, KEYS[event.key]));
    });
  }

  show(value, text) {
    const { scale, input } = this; // else the thumb stays where the hand put it
    if (scale.snaps || scale.value(Number(input.value)) !== value) input.value = scale.place(value);
    this.shown = value;
    input.setAttribute("aria-valuetext", text);
  }

  axis(before = element("span", {}, this.scale.name)) {
    return axisOf(before, this.input, this.scale.ends, this.scale.kind);
  }
}

export const field = (name, control) => element("label", {}, element("span", {}, name), control);

export function choice(title, names, move) {
  const options = Object.entries(names).map(([value, name]) => element("option", { value }, name));
  const select = element("select", { "aria-label": title }, ...options);
  select.addEventListener("change", () => move(select.value));
  return select;
}

export function tick(move) {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => move(box.checked));
  return box;
}

// A whole number that a hand is writing is not written over.
export class Seed {
  constructor(move) {
    const whole = { type: "number", min: 0, max: MOST_SEED, step: 1 };
    this.input = element("input", { ...whole, "aria-label": WORDS.seedTitle });
    this.input.addEventListener("change", () => move(this.input.valueAsNumber));
    this.root = field(WORDS.seed, this.input);
  }

  show(seed) {
    if (document.activeElement !== this.input) this.input.value = seed;
  }
}
