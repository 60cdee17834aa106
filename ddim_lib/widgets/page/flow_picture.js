// The picture of a walk: the data as filled contours, under paths that fade, under points.

import { colour, DARK, DATA, isLight } from "./colours.js";
import { element } from "./sliders.js";
import { BLOCK } from "./walk.js";

const HOLDS = [0.95, 0.7, 0.35]; // the share of the data that each contour holds
const TRAILS = 160; // points that leave a path, where paths are short
const INK = 900; // data units of path in all, where they are long and tangled
const REFERENCE = [204, 121, 167]; // as in ddim_lib/plots.py; it stands out on light and on dark
const PAIRS = 16; // points that are shown beside their exact paths
const CORNERS = 24; // steps of a path that are few enough to mark each of them

// What part of the plane a canvas shows: the data with a margin, and most of the noise.
function windowOn(mixture, width, height) {
  const edge = (mean, variance) => Math.abs(mean) + 3 * Math.sqrt(variance);
  const across = Math.max(2.4, ...mixture.map(([, mx, , cxx]) => edge(mx, cxx)));
  const upward = Math.max(1.6, ...mixture.map(([, , my, , , cyy]) => edge(my, cyy)));
  const scale = Math.min(width / 2 / across, height / 2 / upward);
  return {
    width,
    height,
    scale,
    x: (v) => width / 2 + scale * v,
    y: (v) => height / 2 - scale * v,
  };
}

function nearby(centre, reach, most) {
  return [centre - reach, centre + reach].map((edge) =>
    Math.min(Math.max(Math.round(edge), 0), most),
  );
}

function density(mixture, view) {
  const { width, height, scale } = view;
  const out = new Float32Array(width * height);
  for (const [w, mx, my, cxx, cxy, cyy] of mixture) {
    const det = cxx * cyy - cxy * cxy;
    const top = w / Math.sqrt(det);
    const [left, right] = nearby(view.x(mx), 4 * scale * Math.sqrt(cxx), width);
    const [above, below] = nearby(view.y(my), 4 * scale * Math.sqrt(cyy), height);
    for (let j = above; j < below; j++)
      for (let i = left; i < right; i++) {
        const dx = (i + 0.5 - width / 2) / scale - mx;
        const dy = (height / 2 - j - 0.5) / scale - my;
        out[j * width + i] +=
          top * Math.exp((-0.5 * (cyy * dx * dx - 2 * cxy * dx * dy + cxx * dy * dy)) / det);
      }
  }
  return out;
}

// The target as filled contours, edges smooth: how far log p is from a level, in pixels.
function contours(mixture, data, view, [r, g, b]) {
  const { width, height } = view;
  const p = density(mixture, view);
  const image = new ImageData(width, height);
  const inside = [];
  for (let i = 0; i < data.length; i += 2) {
    const x = Math.floor(view.x(data[i]));
    const y = Math.floor(view.y(data[i + 1]));
    inside.push(x >= 0 && x < width && y >= 0 && y < height ? p[y * width + x] : 0);
  }
  inside.sort((a, b) => a - b);
  const levels = HOLDS.map((share) => inside[Math.floor((1 - share) * inside.length)]);
  for (let j = 0, i = 0; j < height; j++)
    for (let x = 0; x < width; x++, i++) {
      if (p[i] < levels[0] / 3) continue;
      const right = p[i + (x + 1 < width ? 1 : -1)];
      const below = p[i + (j + 1 < height ? width : -width)];
      const slope = Math.abs(right - p[i]) + Math.abs(below - p[i]);
      let covered = 0;
      for (const level of levels)
        covered += Math.min(Math.max(0.5 + (p[i] - level) / (slope + 1e-12), 0), 1);
      image.data.set([r, g, b, 26 * covered], 4 * i);
    }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// How many points leave a path: fewer where the paths are long. The first block tells.
function trailsOf({ paths, done }) {
  const few = Math.min(done, BLOCK);
  let length = 0;
  for (let f = 1; f < paths.length; f++)
    for (let i = 0; i < 2 * few; i += 2)
      length += Math.hypot(paths[f][i] - paths[f - 1][i], paths[f][i + 1] - paths[f - 1][i + 1]);
  return Math.min(done, TRAILS, Math.ceil((INK * few) / length));
}

function dot(radius, [r, g, b], alpha) {
  const size = Math.ceil(2 * radius + 2);
  const canvas = new OffscreenCanvas(size, size);
  const pen = canvas.getContext("2d");
  pen.fillStyle = `rgba(${r},${g},${b},${alpha})`;
  pen.arc(size / 2, size / 2, radius, 0, 2 * Math.PI);
  pen.fill();
  return canvas;
}

// The canvas: contours under paths under points, at one moment of a walk.
export class Picture {
  constructor() {
    this.canvas = element("canvas", { role: "img" });
    this.pen = this.canvas.getContext("2d");
  }

  // Follow the size of the canvas, the theme of the page, and the data.
  fit(mixture, data) {
    const { canvas } = this;
    const fine = Math.min(globalThis.devicePixelRatio || 1, 2);
    const width = Math.round(canvas.clientWidth * fine);
    const height = Math.round(canvas.clientHeight * fine);
    const dark = isLight(getComputedStyle(canvas).color);
    const sameSize = width === canvas.width && height === canvas.height;
    if (!width || (sameSize && dark === this.dark && mixture === this.mixture)) return;
    Object.assign(canvas, { width, height });
    Object.assign(this, { mixture, dark, fine, view: windowOn(mixture, width, height) });
    const coarse = windowOn(mixture, Math.round(width / fine), Math.round(height / fine));
    this.ground = contours(mixture, data, coarse, dark ? DARK.DATA : DATA);
  }

  // exact: the exact paths of the same points and the moment to show of them, or nothing.
  paint(walk, progress, exact) {
    const { pen, canvas } = this;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(this.ground, 0, 0, canvas.width, canvas.height);
    const moment = progress * (walk.paths.length - 1);
    const pairs = exact ? Math.min(walk.done, exact.paths.done, PAIRS) : 0;
    if (!exact) {
      this.trails(walk, moment, trailsOf(walk));
      return this.dots(walk, moment, 0, walk.done);
    }
    this.dots(walk, moment, pairs, walk.done, 0.35);
    this.corners(walk, moment, pairs);
    this.beside(exact, walk, moment, pairs);
    this.dots(walk, moment, 0, pairs, 1, 1.6);
  }

  // One line along each of the first paths, up to a moment.
  follow(paths, moment, count) {
    const { pen } = this;
    pen.beginPath();
    for (let i = 0; i < count; i++) {
      pen.moveTo(...this.place(paths, 0, i));
      for (let f = 1; f <= moment; f++) pen.lineTo(...this.place(paths, f, i));
      pen.lineTo(...this.place(paths, moment, i));
    }
    pen.stroke();
  }

  // The sampler's paths as they are to be compared: whole, in one colour, a dot at each step.
  corners(walk, moment, pairs) {
    const { pen, fine, dark } = this;
    const ink = dark ? DARK.DATA : DATA;
    Object.assign(pen, { lineWidth: fine, lineJoin: "round", strokeStyle: `rgba(${ink},0.6)` });
    this.follow(walk.paths, moment, pairs);
    if (walk.steps <= CORNERS)
      for (let f = 0; f < moment; f++) this.dots(walk, f, 0, pairs, 1, 1.1, ink);
  }

  // The exact paths, dashed, each with a ring where its point is now, tied to the sampler's point.
  beside({ paths: { paths }, moment: now }, walk, moment, pairs) {
    const { pen, fine } = this;
    const radius = 3.5 * fine;
    Object.assign(pen, { lineWidth: 1.3 * fine, strokeStyle: `rgb(${REFERENCE})` });
    pen.setLineDash([4 * fine, 2.5 * fine]);
    this.follow(paths, now, pairs);
    for (const [dash, tie] of [
      [[], false],
      [[fine, 2 * fine], true],
    ]) {
      pen.setLineDash(dash);
      pen.beginPath();
      for (let i = 0; i < pairs; i++) {
        const [x, y] = this.place(paths, now, i);
        pen.moveTo(tie ? x : x + radius, y);
        if (tie) pen.lineTo(...this.place(walk.paths, moment, i));
        else pen.arc(x, y, radius, 0, 2 * Math.PI);
      }
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  trails({ paths }, moment, count) {
    const { pen, fine, dark } = this;
    const last = paths.length - 1;
    const pieces = Math.min(last, 24);
    pen.lineWidth = 0.8 * fine;
    pen.lineJoin = "round";
    for (let piece = 0; piece < pieces; piece++) {
      const from = Math.round((piece * last) / pieces);
      const to = Math.min(Math.round(((piece + 1) * last) / pieces), moment);
      if (from >= to) break;
      const age = (moment - (from + to) / 2) / last;
      const fade = Math.max(1 - 1.1 * age, 0) ** 2;
      if (fade < 0.02) continue;
      pen.strokeStyle = `rgba(${colour((from + to) / 2 / last, dark)},${(dark ? 0.42 : 0.36) * fade})`;
      pen.beginPath();
      for (let i = 0; i < count; i++) {
        pen.moveTo(...this.place(paths, from, i));
        for (let f = from + 1; f <= to; f++) pen.lineTo(...this.place(paths, f, i));
        if (to > Math.floor(to)) pen.lineTo(...this.place(paths, to, i));
      }
      pen.stroke();
    }
  }

  place(paths, moment, i) {
    const low = Math.min(Math.floor(moment), paths.length - 2);
    const w = moment - low;
    const j = 2 * i;
    const a = paths[low];
    const b = paths[low + 1];
    return [
      this.view.x(a[j] + w * (b[j] - a[j])),
      this.view.y(a[j + 1] + w * (b[j + 1] - a[j + 1])),
    ];
  }

  // Points from the first to before the last; strength and size multiply what is usual.
  dots({ paths }, moment, first, last, strength = 1, size = 1, ink = null) {
    const { pen, fine, dark, view } = this;
    const progress = moment / (paths.length - 1);
    const radius = size * fine * Math.min(Math.max(view.width / fine / 400, 1.15), 1.9);
    const stamp = dot(radius, ink ?? colour(progress, dark), strength * (dark ? 0.8 : 0.7));
    const half = stamp.width / 2;
    for (let i = first; i < last; i++) {
      const [x, y] = this.place(paths, moment, i);
      pen.drawImage(stamp, x - half, y - half);
    }
  }
}
