// A place to draw a digit, with a menu of shipped ones for who draws by keyboard.

import { isDrawing, PEN, PLACES, pixelsOf, simplified, strokesOf, textOf } from "./drawing.js";
import { greysOf, paintDigit } from "./greys.js";
import { SIDE } from "./pictures.js";
import { element } from "./sliders.js";
import { PAD } from "./words_lab.js";

const UNIT = 5; // canvas pixels a place of the grid

export class Pad {
  // name: of the digit, in words. change: called with its text, a digit's or that of strokes; preview:
  // with the pixels while a stroke grows.
  constructor(name, originals, { change, preview }) {
    Object.assign(this, { name, originals, change, preview, strokes: [], drawn: "" });
    const side = UNIT * PLACES;
    this.canvas = element("canvas", { width: side, height: side, role: "img" });
    const hand = element("option", { value: "" }, PAD.hand);
    const digits = originals.map((_, i) => element("option", { value: i }, String(i)));
    this.menu = element("select", { "aria-label": `${name}: ${PAD.choose}` }, hand, ...digits);
    this.menu.addEventListener("change", () => change(this.menu.value || this.drawn));
    this.undo = this.button(PAD.undo, () => change(textOf(this.strokes.slice(0, -1))));
    this.clear = this.button(PAD.clear, () => change(""));
    const tools = element("div", { class: "tools" }, this.menu, this.undo, this.clear);
    this.root = element(
      "div",
      { class: "pad" },
      element("span", {}, PAD.label(name)),
      this.canvas,
      tools,
    );
    this.listen();
  }

  button(word, press) {
    const button = element(
      "button",
      { type: "button", "aria-label": `${this.name}: ${word}` },
      word,
    );
    button.addEventListener("click", press);
    return button;
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      this.stroke = [];
      this.strokes = [...this.strokes, this.stroke];
      this.follow(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.stroke && event.isPrimary) this.follow(event);
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => this.lift());
  }

  follow(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const place = (share) => Math.min(Math.max(Math.floor(PLACES * share), 0), PLACES - 1);
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const { clientX, clientY } of moves.length ? moves : [event]) {
      const point = [place((clientX - left) / width), place((clientY - top) / height)];
      if (`${point}` !== `${this.stroke.at(-1)}`) this.stroke.push(point);
    }
    this.paint(this.strokes);
    this.preview(pixelsOf(this.strokes));
  }

  lift() {
    if (!this.stroke) return;
    this.stroke = null;
    this.change(textOf(this.strokes.map(simplified)));
  }

  // text: "", a digit, or strokes.
  show(text) {
    const drawn = isDrawing(text);
    if (drawn) this.drawn = text;
    this.strokes = drawn ? strokesOf(text) : [];
    this.menu.value = drawn ? "" : text;
    this.undo.disabled = !drawn;
    this.clear.disabled = !text;
    if (drawn || !text) this.paint(this.strokes);
    else this.paintOriginal(this.originals[text]);
    const what = drawn ? PAD.drawn(this.strokes.length) : text ? PAD.digit(text) : PAD.nothing;
    this.canvas.setAttribute("aria-label", PAD.title(this.name, what));
  }

  blank() {
    const pen = this.canvas.getContext("2d");
    pen.fillStyle = "black";
    pen.fillRect(0, 0, pen.canvas.width, pen.canvas.height);
    return pen;
  }

  paint(strokes) {
    const pen = this.blank();
    Object.assign(pen, { strokeStyle: "white", lineWidth: 2 * PEN * UNIT, lineCap: "round" });
    Object.assign(pen, { lineJoin: "round", fillStyle: "#bbb", font: "28px system-ui" });
    if (!strokes.length) pen.fillText(PAD.hint, 100, 170);
    for (const stroke of strokes) {
      pen.beginPath();
      for (const [x, y] of stroke) pen.lineTo(UNIT * (x + 0.5), UNIT * (y + 0.5));
      const [x, y] = stroke.at(-1);
      pen.lineTo(UNIT * (x + 0.51), UNIT * (y + 0.5)); // else a single point leaves no ink
      pen.stroke();
    }
  }

  paintOriginal(x) {
    const small = element("canvas", { width: SIDE, height: SIDE });
    paintDigit(small.getContext("2d"), greysOf(x));
    const pen = this.blank();
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, 0, 0, pen.canvas.width, pen.canvas.height);
  }
}
