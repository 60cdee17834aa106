// A canvas to draw curves on, in CSS pixels and the page's colours.

import { DARK, DATA, isLight, MIDDLE, NOISE } from "./colours.js";
import { element } from "./sliders.js";

export const css = ([r, g, b], alpha = 1) => `rgba(${r},${g},${b},${alpha})`;

export class Plot {
  constructor(name) {
    this.canvas = element("canvas", { role: "img", class: name });
    this.pen = this.canvas.getContext("2d");
  }

  // Follow the canvas's size and the page's theme, and begin an empty picture.
  begin() {
    const { canvas, pen } = this;
    const fine = Math.min(globalThis.devicePixelRatio || 1, 3);
    const style = getComputedStyle(canvas);
    Object.assign(this, {
      width: canvas.clientWidth,
      height: canvas.clientHeight,
      ink: style.color,
    });
    this.dark = isLight(style.color);
    this.tones = this.dark ? DARK : { NOISE, MIDDLE, DATA };
    const size = { width: Math.round(fine * this.width), height: Math.round(fine * this.height) };
    if (size.width !== canvas.width || size.height !== canvas.height) Object.assign(canvas, size);
    pen.setTransform(fine, 0, 0, fine, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.lineJoin = "round";
    this.font = style.fontFamily;
    return this.width > 0;
  }

  // style: stroke, fill (colours), width, dash, alpha; points: [x, y] each.
  line(points, { stroke, fill, width = 1, dash = [], alpha = 1 }) {
    const { pen } = this;
    pen.beginPath();
    for (const [x, y] of points) pen.lineTo(x, y);
    pen.globalAlpha = alpha;
    pen.setLineDash(dash);
    if (fill) Object.assign(pen, { fillStyle: fill }).fill();
    if (stroke) Object.assign(pen, { strokeStyle: stroke, lineWidth: width }).stroke();
    pen.globalAlpha = 1;
  }

  segment(x0, y0, x1, y1, style) {
    const ends = [
      [x0, y0],
      [x1, y1],
    ];
    this.line(ends, style);
  }

  box(left, top, right, bottom, style) {
    const corners = [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
      [left, top],
    ];
    this.line(corners, style);
  }

  // A tick at each time; where they are many, each is faint.
  ruler(times, x, top, long) {
    const dense = times.length / Math.abs(x(times[0]) - x(times.at(-1)));
    const alpha = Math.min(1, 0.35 / dense) * 0.8;
    const style = { stroke: this.ink, alpha, width: Math.min(1, 0.5 / dense) };
    for (const t of times) this.segment(x(t), top, x(t), top + long, style);
  }

  // Paint, and cut off what lies outside of [left, top, width, height].
  within(box, paint) {
    const { pen } = this;
    pen.save();
    pen.beginPath();
    pen.rect(...box);
    pen.clip();
    paint();
    pen.restore();
  }

  // What the picture shows, for a screen reader.
  tell(words) {
    this.canvas.setAttribute("aria-label", words);
  }

  dot(x, y, radius, fill, rim = this.dark ? "#111" : "white") {
    const { pen } = this;
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.setLineDash([]);
    Object.assign(pen, { fillStyle: fill, strokeStyle: rim, lineWidth: 1.5 });
    pen.fill();
    if (rim) pen.stroke();
  }

  wide(words, { weight = 400, size = 13 } = {}) {
    this.pen.font = `${weight} ${size}px ${this.font}`;
    return this.pen.measureText(words).width;
  }

  // at: left, center or right of x; kept within the canvas. halo: clear the ground around it.
  text(words, x, y, { at = "left", fill = this.ink, alpha = 1, halo = false, ...font } = {}) {
    const { pen, width } = this;
    const wide = this.wide(words, font);
    const left = Math.min(
      Math.max(x - { left: 0, center: wide / 2, right: wide }[at], 2),
      width - wide - 2,
    );
    const ground = this.dark ? "#1b1f22" : "#f7f7f7";
    Object.assign(pen, {
      fillStyle: fill,
      strokeStyle: ground,
      lineWidth: 5,
      textBaseline: "middle",
    });
    pen.setLineDash([]);
    if (halo) pen.strokeText(words, left, y);
    pen.globalAlpha = alpha;
    pen.fillText(words, left, y);
    pen.globalAlpha = 1;
  }
}

export const gauss = (z) => Math.exp(-0.5 * z * z);

// A bell from x = low to high, of height 1 at its mean; a width near 0 gives a spike there.
export function bell(mean, sd, low, high, least) {
  const width = Math.max(sd, least);
  const xs = [];
  for (let i = 0; i <= 240; i++) xs.push(low + ((high - low) * i) / 240);
  for (let i = -24; i <= 24; i++) xs.push(mean + (i / 6) * width);
  const inside = xs.filter((x) => x >= low && x <= high).sort((a, b) => a - b);
  return inside.map((x) => [x, gauss((x - mean) / width)]);
}
