// Digits as a screen shows them, white ink on black.

import { PIXELS, SIDE } from "./pictures.js";

// From numbers in [-1, 1], as plots.sheet does.
export const greysOf = (x) => Uint8ClampedArray.from(x, (v) => 127.5 * (v + 1));

export function paintDigit(pen, greys, left = 0, top = 0) {
  const picture = new ImageData(SIDE, SIDE);
  const shades = new Uint32Array(picture.data.buffer); // red, green, blue alike, and opaque
  for (let i = 0; i < PIXELS; i++) shades[i] = 0xff000000 | (greys[i] * 0x010101);
  pen.putImageData(picture, left, top);
}
