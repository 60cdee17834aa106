// Pictures as Python stores them: one PNG, a row for each η, a column for each number of steps.

import { GRID } from "./words.js";

export async function decode(view) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  // some browsers paint the upper part of a PNG that breaks off
  if (String.fromCharCode(...bytes.slice(-8, -4)) !== "IEND") throw new Error(GRID.breaks);
  return createImageBitmap(new Blob([bytes], { type: "image/png" }));
}

// tile: height and width of one picture.
export async function sheetOf(view, etas, counts, [height, width]) {
  const sheet = await decode(view);
  if (sheet.width !== width * counts.length || sheet.height !== height * etas.length)
    throw new Error(GRID.measures(sheet.width, sheet.height));
  return sheet;
}
