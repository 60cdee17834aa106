// A slider over stored values, which stand evenly apart on it, at 0, 1, 2 …

import { axisOf, element, KEYS } from "./sliders.js";

export function nearest(values, x) {
  const nearer = (best, v, i) => (Math.abs(v - x) < Math.abs(values[best] - x) ? i : best);
  return values.reduce(nearer, 0);
}

// A free slider also gives the multiples of `quantum` between the stored values.
export class StoredSlider {
  constructor({ trait, words, values, quantum, marks = {} }) {
    Object.assign(this, { trait, values, quantum, free: false });
    const last = values.length - 1;
    const range = { type: "range", min: 0, max: last, step: 1 };
    this.input = element("input", { ...range, class: trait, "aria-label": words.title });
    this.input.disabled = last === 0;
    const ends = [values[0], values[last]].map((v) => marks[v] ?? String(v));
    this.root = axisOf(element("span", {}, words.name), this.input, ends);
  }

  get value() {
    const { values } = this;
    const position = Number(this.input.value);
    const low = Math.floor(position);
    if (position === low) return values[low];
    return this.snap(values[low] + (position - low) * (values[low + 1] - values[low]));
  }

  // The value nearest to x that the slider can show.
  snap(x) {
    const { values } = this;
    const stored = values[nearest(values, x)];
    if (!this.free || stored === x) return stored;
    const perUnit = Math.round(1 / this.quantum);
    return Math.min(Math.max(Math.round(x * perUnit) / perUnit, values[0]), values.at(-1));
  }

  show(value, text) {
    this.input.setAttribute("aria-valuetext", text);
    if (this.value === value) return; // the thumb stays where the hand put it
    const low = this.values.findLastIndex((v) => v <= value);
    const gap = this.values[low + 1] - this.values[low];
    this.input.value = gap ? low + (value - this.values[low]) / gap : low;
  }

  setFree(free) {
    this.free = free;
    this.input.step = free ? "any" : 1;
  }

  listen(move) {
    this.input.addEventListener("input", () => move(this.value));
    this.input.addEventListener("keydown", (event) => {
      if (!this.free || !event.key.startsWith("Arrow")) return;
      event.preventDefault(); // equal moves of the thumb would be unequal ones of the value
      move(this.snap(this.value + KEYS[event.key] * this.quantum));
    });
  }
}
