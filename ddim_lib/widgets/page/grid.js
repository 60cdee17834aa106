// Two sliders, η and steps, over a sheet of stored pictures. Without a kernel they move from one
// stored picture to the next; once Python answers the ping they move freely, and it draws what is
// not stored.

import { axisOf, element, KEYS } from "./sliders.js";

const PATIENCE = 30_000; // ms; a kernel silent for longer counts as gone
const PICTURE_WIDTH = 672; // CSS pixels at most, in whole multiples of the picture's own
const PICTURE_HEIGHT = 480;

const words = ({ eta, steps }) =>
  `η = ${eta.toFixed(2)} · ${steps} ${steps === 1 ? "step" : "steps"}`;
const same = (a, b) => a && b && a.eta === b.eta && a.steps === b.steps;

function nearest(values, x) {
  return values.reduce(
    (best, v, i) => (Math.abs(v - x) < Math.abs(values[best] - x) ? i : best),
    0,
  );
}

async function decode(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  // some browsers paint the upper part of a PNG that breaks off
  if (String.fromCharCode(...bytes.slice(-8, -4)) !== "IEND")
    throw new Error("the file breaks off");
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

// The stored values stand at the whole positions 0, 1, 2 … of the slider, evenly apart. A free
// slider also gives the multiples of `quantum` between them.
class StoredSlider {
  constructor({ trait, name, title, values, quantum, marks }) {
    Object.assign(this, { trait, values, quantum, free: false });
    const last = values.length - 1;
    this.input = element("input", {
      type: "range",
      class: trait,
      "aria-label": title,
      min: 0,
      max: last,
      step: 1,
    });
    this.input.disabled = last === 0;
    const ends = [values[0], values[last]].map((v) => marks[v] ?? String(v));
    this.root = axisOf(element("span", {}, name), this.input, ends);
  }

  get value() {
    const position = Number(this.input.value);
    const low = Math.floor(position);
    if (position === low) return this.values[low];
    return this.snap(
      this.values[low] + (position - low) * (this.values[low + 1] - this.values[low]),
    );
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

// What the reader sees: the picture, the sliders, a line in words, and a sentence on trouble.
class Face {
  constructor(sliders, [height, width], alt) {
    Object.assign(this, { sliders, height, width, alt });
    this.canvas = element("canvas", { width, height, role: "img", "aria-label": alt });
    this.line = element("output", {});
    this.trouble = element("p", { class: "trouble", role: "alert" });
    this.trouble.hidden = true;
    this.root = element(
      "div",
      { class: "ddim ddim-grid" },
      this.canvas,
      ...sliders.map((s) => s.root),
      this.line,
      this.trouble,
    );
    const scale = Math.floor(Math.min(PICTURE_WIDTH / width, PICTURE_HEIGHT / height));
    this.root.style.setProperty("--picture-width", `${width * Math.max(1, scale)}px`);
  }

  paint(source, left, top, setting, how) {
    const { width, height } = this;
    this.canvas.hidden = false;
    this.canvas.getContext("2d").drawImage(source, left, top, width, height, 0, 0, width, height);
    this.canvas.setAttribute("aria-label", `${this.alt} (${words(setting)})`);
    this.root.dataset.shown = `${how}: ${words(setting)}`;
  }

  say(line, trouble = "") {
    this.line.textContent = line;
    this.trouble.textContent = trouble;
    this.trouble.hidden = !trouble;
  }
}

class Explorer {
  constructor(model) {
    this.model = model;
    this.etas = model.get("etas");
    this.counts = model.get("step_counts");
    const marks = { 0: "0 deterministic", 1: "1 DDPM" };
    const eta = {
      trait: "eta",
      name: "η",
      title: "η, the share of fresh noise",
      values: this.etas,
      quantum: 0.01,
      marks,
    };
    const steps = {
      trait: "steps",
      name: "steps",
      title: "number of steps",
      values: this.counts,
      quantum: 1,
      marks: {},
    };
    this.sliders = [new StoredSlider(eta), new StoredSlider(steps)];
    this.face = new Face(this.sliders, model.get("tile"), model.get("alt"));
    this.live = false; // whether a kernel answers
    this.asked = null; // the setting that the kernel is drawing
  }

  async start() {
    try {
      await this.loadSheet();
    } catch (error) {
      this.face.canvas.hidden = true;
      this.face.say("", `The stored pictures cannot be shown: ${error.message}.`);
    }
    for (const slider of this.sliders) slider.listen((value) => this.move(slider.trait, value));
    this.model.on("change:eta", () => this.show());
    this.model.on("change:steps", () => this.show());
    this.model.on("msg:custom", (message, buffers) => this.answered(message, buffers));
    this.setLive(false);
    this.model.send({ type: "ping" }); // nobody answers on a page without a kernel
  }

  async loadSheet() {
    const sheet = await decode(this.model.get("sheet"));
    const { width, height } = this.face;
    if (sheet.width !== width * this.counts.length || sheet.height !== height * this.etas.length)
      throw new Error(`the sheet measures ${sheet.width} × ${sheet.height} pixels`);
    this.sheet = sheet;
  }

  move(trait, value) {
    this.model.set(trait, value);
    this.model.save_changes();
  }

  get wanted() {
    const [eta, steps] = this.sliders.map((slider) => slider.snap(this.model.get(slider.trait)));
    return { eta, steps };
  }

  isStored({ eta, steps }) {
    return this.sheet && this.etas.includes(eta) && this.counts.includes(steps);
  }

  show() {
    const setting = this.wanted;
    const { width, height } = this.face;
    for (const slider of this.sliders) slider.show(setting[slider.trait], words(setting));
    if (this.isStored(setting)) {
      const left = this.counts.indexOf(setting.steps) * width;
      const top = this.etas.indexOf(setting.eta) * height;
      this.face.paint(this.sheet, left, top, setting, "stored");
      const exact =
        setting.eta === this.model.get("eta") && setting.steps === this.model.get("steps");
      this.face.say(`${words(setting)} · ${exact ? "" : "nearest "}stored`);
    } else if (this.live) this.ask(setting);
  }

  setLive(live) {
    this.live = live;
    this.face.root.dataset.mode = live ? "live" : "stored";
    for (const slider of this.sliders) slider.setFree(live);
    this.show();
  }

  // One question at a time: its answer shows, and asks for what is wanted by then.
  ask(setting) {
    this.face.say(`${words(setting)} · computing …`);
    if (this.asked) return;
    this.asked = setting;
    this.model.send({ type: "draw", ...setting });
    this.timer = setTimeout(() => this.giveUp(), PATIENCE);
  }

  giveUp() {
    this.asked = null;
    this.setLive(false);
    this.face.say(
      this.face.line.textContent,
      "The kernel does not answer: only the stored pictures move.",
    );
  }

  async answered(message, buffers) {
    if (same(message, this.asked)) {
      this.asked = null;
      clearTimeout(this.timer);
    }
    if (!this.live) this.setLive(true);
    if (message.type === "picture") await this.paintAnswer(message, buffers[0]);
    if (message.type === "error") this.tellError(message);
  }

  async paintAnswer(message, png) {
    const bitmap = await decode(png);
    if (this.isStored(this.wanted)) return;
    this.face.paint(bitmap, 0, 0, message, "computed now");
    if (same(message, this.wanted)) this.face.say(`${words(message)} · computed now`);
    else this.ask(this.wanted);
  }

  tellError(message) {
    if (!same(message, this.wanted)) return this.show();
    const call = `draw(${message.eta}, ${message.steps})`;
    this.face.say(
      `${words(message)} · not drawn`,
      `The picture above is the last one: ${call} failed. ${message.text}`,
    );
  }
}

async function render({ model, el }) {
  const explorer = new Explorer(model);
  await explorer.start();
  el.append(explorer.face.root);
}

export default { render };
