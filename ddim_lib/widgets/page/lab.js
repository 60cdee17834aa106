// The digit lab: a reader's own digit, or one of the book's, and what the network makes of it.

import { outOfBounds } from "./bounds.js";
import { isDigit, isDrawing, pixelsOf, strokesOf } from "./drawing.js";
import { Explorer, rendering } from "./explorer.js";
import { fromAddress, toAddress } from "./lab_address.js";
import { Controls, LAST_SEED } from "./lab_controls.js";
import { COLUMNS, schedule, TASKS, timesShown, yours } from "./lab_tasks.js";
import { NetworkOffer } from "./network_offer.js";
import { PIXELS, SIDE } from "./pictures.js";
import { T } from "./schedule.js";
import { sheetOf } from "./sheet.js";
import { element } from "./sliders.js";
import { Tiles } from "./tiles.js";
import { GRID } from "./words.js";
import { LAB } from "./words_lab.js";
import { NETWORK } from "./words_network.js";

const NAMES = ["task", "a", "b", "t", "steps", "eta", "seed"];
const ORDER = Object.keys(TASKS); // of the sheet, two rows each
const KEPT = 20; // codes

// The book's ten digits, 784 bytes each.
function digitsOf(text) {
  const x = Float64Array.from(atob(text), (c) => c.charCodeAt(0) / 127.5 - 1);
  return Array.from({ length: x.length / PIXELS }, (_, i) => x.slice(i * PIXELS, (i + 1) * PIXELS));
}

class Lab extends Explorer {
  constructor(model) {
    super(model, "ddim-lab", NAMES, []);
    this.stored = model.get("stored");
    this.originals = digitsOf(model.get("originals"));
    this.codes = new Map();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.tiles = new Tiles();
    this.controls = new Controls(this.stored, this.originals, {
      move: (traits) => this.move(traits),
      preview: (name, x) => this.preview(name, x),
    });
    this.offer = new NetworkOffer(
      (network) => this.begin(network),
      (why) => this.fail(why),
    );
    this.key = element("p", { class: "key" });
    const { parts, otherNoise, again, question } = this.controls;
    const buttons = element("div", { class: "buttons" }, this.offer.root, otherNoise, again);
    const found = [this.line, this.tiles.root, this.key, buttons, this.trouble];
    this.root.append(...parts, ...found, question);
  }

  complaint({ a, b, ...setting }) {
    for (const [name, text] of Object.entries({ a, b }))
      if (text !== "" && !isDigit(text) && !isDrawing(text)) return LAB.noDrawing(name, `${text}`);
    const whole = { t: [1, T], steps: [1, T], seed: [0, LAST_SEED] };
    return outOfBounds(setting, { whole, real: { eta: [0, 1] }, names: { task: ORDER } });
  }

  start() {
    const end = super.start();
    const hear = (message) => this.offer.hear(message, this.model);
    const follow = () => {
      const told = fromAddress(this.stored);
      if (Object.keys(told).length) this.move({ ...this.stored, ...told });
    };
    this.model.on("msg:custom", hear);
    addEventListener("hashchange", follow);
    follow();
    this.load();
    return () => {
      end();
      this.stop();
      this.model.off("msg:custom", hear);
      removeEventListener("hashchange", follow);
    };
  }

  async load() {
    try {
      const places = (count) => [...Array(count).keys()];
      const table = [places(2 * ORDER.length), places(COLUMNS)];
      this.sheet = await sheetOf(this.model.get("sheet"), ...table, [SIDE, SIDE]);
      this.renew();
    } catch (error) {
      this.say(this.line.textContent, GRID.broken(error.message));
    }
    this.model.send({ type: "ping" }); // nobody answers on a page without a kernel
  }

  // --- the network comes and goes ---

  begin(network) {
    Object.assign(this, { network, broken: false });
    this.renew();
  }

  fail(why) {
    Object.assign(this, { network: null, broken: true });
    this.offer.renew();
    this.renew();
    this.say(this.line.textContent, why);
  }

  stop() {
    this.run = null;
    this.cancel?.();
  }

  // --- what is shown ---

  show(setting) {
    const { task } = setting;
    this.stop();
    this.controls.show(setting);
    this.key.textContent = LAB.key(LAB.rows[task]);
    const captions = LAB.captions[task](timesShown(setting.steps));
    this.tiles.lay(captions, TASKS[task].heights, LAB.rows[task]);
    toAddress(setting, this.stored);
    const same = NAMES.every((name) => name === "task" || setting[name] === this.stored[name]);
    if (this.sheet && (this.broken || (same && !this.network))) this.showStored(task);
    else this.compute(setting, this.pixels(setting));
  }

  preview(name, x) {
    for (const [column, row] of yours(this.setting.task, name)) this.tiles.put(column, row, x);
  }

  pixels({ a, b }) {
    const of = (text) => (isDigit(text) ? this.originals[text] : text && pixelsOf(strokesOf(text)));
    return { a: of(a), b: of(b) };
  }

  showStored(task) {
    this.tiles.paint(this.sheet, ORDER.indexOf(task));
    this.tell(LAB.line[task](this.stored, this.amplitudes(this.stored)), LAB.stored);
  }

  tell(line, state) {
    this.say(line + state);
    this.root.dataset.shown = line + state;
  }

  amplitudes({ t }) {
    return [schedule.alphaBar[t], schedule.betaBar[t]];
  }

  async compute(setting, { a, b }) {
    const { task } = setting;
    if (!a || (task === "mix" && !b)) return this.tell("", a ? LAB.emptyOther : LAB.empty);
    const run = {};
    this.run = run;
    const line = LAB.line[task](setting, this.amplitudes(setting));
    this.tell(line, this.network ? LAB.computing : LAB.waiting);
    const found = await TASKS[task].run({
      ...setting,
      a,
      b,
      ...this.hands(run, setting, { a, b }),
    });
    if (this.run === run) this.tell(line + (LAB.found[task]?.(found) ?? ""), LAB.computed);
  }

  // What a task works with, as long as nothing newer runs.
  hands(run, setting, pixels) {
    const put = (...picture) => this.run === run && this.tiles.put(...picture);
    const sketch = (...picture) => this.calm.matches || put(...picture);
    const ask = (request, look) => this.askNetwork(run, request, look);
    const encode = async (name) => {
      const key = `${setting[name]} in ${setting.steps}`;
      if (this.codes.size > KEPT) this.codes.clear();
      if (!this.codes.has(key)) {
        const { x } = await ask({ task: "climb", x: pixels[name], steps: setting.steps });
        this.codes.set(key, x);
      }
      return this.codes.get(key);
    };
    return { put, sketch, ask, encode };
  }

  askNetwork(run, request, look = () => {}) {
    return new Promise((resolve) => {
      if (!this.network || this.run !== run) return;
      let last;
      this.cancel = this.network.walk(request, {
        moment(moment) {
          last = moment;
          look(moment);
        },
        done: () => resolve(last),
        failed: (text) => this.fail(NETWORK.failed(text)),
      });
    });
  }
}

export default rendering(Lab);
