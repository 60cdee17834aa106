// A drawing: strokes on a grid of 64 × 64, written as two characters a point, a dot between strokes, so
// that it fits into an address; and its picture of 28 × 28, made as MNIST's authors made theirs.

import { PIXELS, SIDE } from "./pictures.js";

const SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
export const PLACES = SIGNS.length;
export const PEN = 3; // radius, in places of the grid
const BOX = 20; // pixels: the longer side of what is written
const CENTRE = 14; // the pixel, counted from 0, on which its centre of mass comes to lie
const SLACK = 0.5; // places of the grid by which a point may be left out
const MOST = 1000; // points
export const FORM = /^([\w-]{2})+(\.([\w-]{2})+)*$/;

export const isDigit = (text) => /^\d$/.test(text);
export const isDrawing = (text) => FORM.test(text) && text.length <= 3 * MOST;

export const strokesOf = (text) =>
  text
    .split(".")
    .map((stroke) =>
      stroke.match(/../g).map((point) => [SIGNS.indexOf(point[0]), SIGNS.indexOf(point[1])]),
    );

export const textOf = (strokes) =>
  strokes.map((stroke) => stroke.map(([x, y]) => SIGNS[x] + SIGNS[y]).join("")).join(".");

function distanceToPiece(x, y, [x0, y0], [x1, y1]) {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const share = dx || dy ? ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy) : 0;
  const w = Math.min(Math.max(share, 0), 1);
  return Math.hypot(x - x0 - w * dx, y - y0 - w * dy);
}

// Without the points that lie on the way between others (Ramer, Douglas and Peucker).
export function simplified(stroke) {
  const last = stroke.length - 1;
  if (last < 2) return stroke;
  let furthest = 0;
  let most = SLACK;
  for (let i = 1; i < last; i++) {
    const away = distanceToPiece(...stroke[i], stroke[0], stroke[last]);
    if (away > most) [furthest, most] = [i, away];
  }
  if (!furthest) return [stroke[0], stroke[last]];
  const [before, after] = [stroke.slice(0, furthest + 1), stroke.slice(furthest)];
  return [...simplified(before).slice(0, -1), ...simplified(after)];
}

// How far from the nearest stroke's middle a place is.
function distanceTo(strokes, x, y) {
  let nearest = Infinity;
  for (const stroke of strokes)
    for (let i = 0; i < stroke.length; i++)
      nearest = Math.min(nearest, distanceToPiece(x, y, stroke[Math.max(i - 1, 0)], stroke[i]));
  return nearest;
}

// Each pixel's share of ink, 0 … 1; scale: pixels a place of the grid; left, top: in pixels.
function inked(strokes, { scale, left, top }) {
  const ink = new Float64Array(PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    const x = ((i % SIDE) - left) / scale;
    const y = (Math.floor(i / SIDE) - top) / scale;
    const inside = (PEN - distanceTo(strokes, x, y)) * scale;
    ink[i] = Math.min(Math.max(inside + 0.5, 0), 1);
  }
  return ink;
}

function centreOf(ink) {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < PIXELS; i++) {
    mass += ink[i];
    x += ink[i] * (i % SIDE);
    y += ink[i] * Math.floor(i / SIDE);
  }
  return [x / mass, y / mass];
}

// In [-1, 1]: scaled, pen and all, until the longer side of its box measures 20 pixels, and moved until
// its centre of mass lies where that of MNIST's digits does.
export function pixelsOf(strokes) {
  const points = strokes.flat();
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = BOX / (Math.max(x1 - x0, y1 - y0) + 2 * PEN);
  const place = {
    scale,
    left: CENTRE - (scale * (x0 + x1)) / 2,
    top: CENTRE - (scale * (y0 + y1)) / 2,
  };
  const [x, y] = centreOf(inked(strokes, place));
  const moved = { scale, left: place.left + CENTRE - x, top: place.top + CENTRE - y };
  return inked(strokes, moved).map((share) => Math.round(255 * share) / 127.5 - 1);
}
