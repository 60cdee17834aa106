// Columns of one or two small pictures under a caption.

import { greysOf, paintDigit } from "./greys.js";
import { SIDE } from "./pictures.js";
import { element } from "./sliders.js";
import { LAB } from "./words_lab.js";

export class Tiles {
  constructor() {
    this.root = element("div", { class: "tiles" });
  }

  // captions, heights: one a column; rows: what the upper and the lower picture are, where both are.
  lay(captions, heights, rows) {
    this.places = captions.map((caption, i) =>
      (heights[i] > 1 ? rows : [""]).map((row) => {
        const canvas = element("canvas", { width: SIDE, height: SIDE, role: "img" });
        return Object.assign(canvas, { words: LAB.picture(caption, row) });
      }),
    );
    const columns = this.places.map((canvases, i) =>
      element("figure", {}, ...canvases, element("figcaption", {}, captions[i])),
    );
    const few = captions.length > 5 ? 4 : captions.length; // a line on a phone
    this.root.style.setProperty("--columns", captions.length);
    this.root.style.setProperty("--few", few);
    this.root.replaceChildren(...columns);
    this.clear();
  }

  clear() {
    for (const canvas of this.places.flat()) {
      canvas.getContext("2d").clearRect(0, 0, SIDE, SIDE);
      canvas.setAttribute("aria-label", `${canvas.words}, ${LAB.blank}`);
    }
  }

  pen(column, row) {
    const canvas = this.places[column]?.[row];
    canvas?.setAttribute("aria-label", canvas.words);
    return canvas?.getContext("2d");
  }

  // x: numbers in [-1, 1].
  put(column, row, x) {
    const pen = this.pen(column, row);
    if (pen) paintDigit(pen, greysOf(x));
  }

  // From a sheet of pictures, the task's two rows of it.
  paint(sheet, task) {
    for (const [column, canvases] of this.places.entries())
      for (const row of canvases.keys()) {
        const from = [column * SIDE, (2 * task + row) * SIDE, SIDE, SIDE];
        this.pen(column, row).drawImage(sheet, ...from, 0, 0, SIDE, SIDE);
      }
  }
}
