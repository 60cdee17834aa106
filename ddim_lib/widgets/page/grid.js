// Two sliders, η and steps, over a sheet of stored pictures. Without a kernel they move from one
// stored picture to the next; once Python answers the ping they move freely, and it draws what is
// not stored. Where the pictures are digits, the page's own network draws them, if a reader asks.

import { Explorer, rendering } from "./explorer.js";
import { PageDigits } from "./page_digits.js";
import { decode, sheetOf } from "./sheet.js";
import { element } from "./sliders.js";
import { nearest, StoredSlider } from "./stored_slider.js";
import { GRID, SLIDERS } from "./words.js";

const PATIENCE = 30_000; // ms; a kernel silent for longer counts as gone
const PICTURE_WIDTH = 672; // CSS pixels at most, in whole multiples of the picture's own
const PICTURE_HEIGHT = 480;

const same = (a, b) => a && b && a.eta === b.eta && a.steps === b.steps;

class GridExplorer extends Explorer {
  constructor(model) {
    super(model, "ddim-grid", ["eta", "steps"], []);
    const [etas, counts] = [model.get("etas"), model.get("step_counts")];
    const [height, width] = model.get("tile");
    Object.assign(this, { etas, counts, height, width, alt: model.get("alt") });
    this.live = false; // whether a kernel answers
    this.drawing = null; // the setting that the kernel is drawing
    const eta = {
      trait: "eta",
      words: SLIDERS.eta,
      values: etas,
      quantum: 0.01,
      marks: GRID.marks,
    };
    const steps = { trait: "steps", words: SLIDERS.steps, values: counts, quantum: 1 };
    this.sliders = [new StoredSlider(eta), new StoredSlider(steps)];
    for (const slider of this.sliders)
      slider.listen((value) => this.move({ [slider.trait]: value }));
    this.canvas = element("canvas", { width, height, role: "img", "aria-label": this.alt });
    this.canvas.hidden = true; // until there is something on it
    this.axes = element("div", {}, ...this.sliders.map((slider) => slider.root));
    this.root.append(this.canvas, this.axes, this.line, this.trouble);
    const digits = model.get("digits");
    if (digits?.count) this.page = new PageDigits(this, digits);
    if (this.page) this.root.append(this.page.root);
    const scale = Math.floor(Math.min(PICTURE_WIDTH / width, PICTURE_HEIGHT / height));
    this.root.style.setProperty("--picture-width", `${width * Math.max(1, scale)}px`);
  }

  complaint() {
    return ""; // what is not stored is shown by what is nearest
  }

  start() {
    const stop = super.start();
    const answered = (message, buffers) => this.answered(message, buffers);
    this.model.on("msg:custom", answered);
    this.setLive(false);
    this.load();
    return () => {
      stop();
      this.page?.stop();
      this.model.off("msg:custom", answered);
      clearTimeout(this.timer);
    };
  }

  async load() {
    const { model, etas, counts, height, width } = this;
    try {
      this.sheet = await sheetOf(model.get("sheet"), etas, counts, [height, width]);
      this.renew();
    } catch (error) {
      this.say("", GRID.broken(error.message));
    }
    model.send({ type: "ping" }); // nobody answers on a page without a kernel
  }

  get wanted() {
    const [eta, steps] = this.sliders.map((slider) => slider.snap(this.model.get(slider.trait)));
    return { eta, steps };
  }

  isStored({ eta, steps }) {
    return this.sheet && this.etas.includes(eta) && this.counts.includes(steps);
  }

  show() {
    if (this.page?.running) return this.page.show();
    const wanted = this.wanted;
    const { eta, steps } = wanted;
    for (const slider of this.sliders) slider.show(wanted[slider.trait], GRID.setting(eta, steps));
    if (this.isStored(wanted)) {
      this.paintStored();
      this.say(GRID.stored(eta, steps, same(wanted, this.setting)));
    } else if (this.live) this.draw(wanted);
  }

  frame() {
    if (this.page?.running) this.page.paintNews();
  }

  // The stored picture nearest to the setting.
  paintStored() {
    if (!this.sheet) return;
    const { etas, counts, setting } = this;
    const row = nearest(etas, setting.eta);
    const column = nearest(counts, setting.steps);
    const stored = { eta: etas[row], steps: counts[column] };
    this.paint(this.sheet, column * this.width, row * this.height, stored, "stored");
  }

  paint(source, left, top, setting, how) {
    const { canvas, width, height } = this;
    canvas.getContext("2d").drawImage(source, left, top, width, height, 0, 0, width, height);
    this.tell(setting, how);
  }

  // Says what is on the canvas.
  tell({ eta, steps }, how) {
    const { canvas } = this;
    canvas.hidden = false;
    canvas.setAttribute("aria-label", GRID.picture(this.alt, eta, steps));
    this.root.dataset.shown = `${how}: ${GRID.setting(eta, steps)}`;
  }

  // --- with a kernel ---

  setLive(live) {
    this.live = live;
    this.root.dataset.mode = live ? "live" : "stored";
    for (const slider of this.sliders) slider.setFree(live);
    this.renew();
  }

  // One question at a time: its answer shows, and asks for what is wanted by then.
  draw(wanted) {
    this.say(GRID.computing(wanted.eta, wanted.steps));
    if (this.drawing) return;
    this.drawing = wanted;
    this.model.send({ type: "draw", ...wanted });
    this.timer = setTimeout(() => this.giveUp(), PATIENCE);
  }

  giveUp() {
    this.drawing = null;
    this.setLive(false);
    this.say(this.line.textContent, GRID.silent);
  }

  async answered(message, buffers) {
    if (same(message, this.drawing)) {
      this.drawing = null;
      clearTimeout(this.timer);
    }
    if (!this.live) this.setLive(true);
    this.page?.offer.hear(message, this.model);
    if (message.type === "picture") await this.paintAnswer(message, buffers[0]);
    if (message.type === "error") this.tellError(message);
  }

  async paintAnswer(message, png) {
    const bitmap = await decode(png);
    if (this.isStored(this.wanted)) return;
    this.paint(bitmap, 0, 0, message, "computed now");
    if (same(message, this.wanted)) this.say(GRID.computed(message.eta, message.steps));
    else this.draw(this.wanted);
  }

  tellError({ eta, steps, text }) {
    if (!same({ eta, steps }, this.wanted)) return this.renew();
    this.say(GRID.failed(eta, steps), GRID.error(eta, steps, text));
  }
}

export default rendering(GridExplorer);
