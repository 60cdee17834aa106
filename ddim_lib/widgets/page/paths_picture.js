// Paths from noise at the left to data at the right, over the density at each time; their ends beside.

import { fixed } from "./numbers.js";
import { densityAt } from "./paths_sampler.js";
import { css } from "./plot.js";
import { T } from "./schedule.js";
import { PATHS } from "./words.js";

const EDGE = 3.2; // of the axis of values
export const DRAWN = 90; // thin paths at most
const BIN = 0.1; // of the histogram of the ends, in data units
const COLUMNS = 201;
const ROWS = 160;

// lines: positions of the thin paths at the times kept; mine: those of the thick one, at all times.
export function paintPaths(plot, { schedule, heat, lines, kept, mine, times, ends }) {
  const strip = Math.max(56, 0.13 * plot.width);
  const box = { left: 24, right: plot.width - strip - 14, top: 10, bottom: plot.height - 36 };
  const x = (t) => box.right - ((box.right - box.left) * t) / T;
  const y = (v) => (box.top + box.bottom) / 2 - ((box.bottom - box.top) * v) / (2 * EDGE);
  heat.paint(plot, box);
  const thin = lines.map((all) => kept.map((i, k) => [x(times[i]), y(all[k])]));
  const thick = times.map((t, i) => [x(t), y(mine[i])]);
  paintLines(plot, box, thin, thick);
  paintValues(plot, box, mine, thick);
  paintEnds(plot, { floor: box.right + 8, strip, y }, ends, (v) => densityAt(schedule, v, 0));
  paintAxes(plot, box, y);
  plot.ruler(times, x, box.bottom, 7);
}

// The root of p_t(x), so that thin parts show: made once a theme, then stretched.
export class Heat {
  constructor(schedule) {
    this.schedule = schedule;
  }

  paint(plot, { left, right, top, bottom }) {
    if (this.dark !== plot.dark) Object.assign(this, { dark: plot.dark, map: this.draw(plot) });
    plot.pen.imageSmoothingEnabled = true;
    plot.pen.drawImage(this.map, left, top, right - left, bottom - top);
  }

  draw({ tones, dark }) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: COLUMNS, height: ROWS });
    const pen = canvas.getContext("2d");
    const image = pen.createImageData(COLUMNS, ROWS);
    const faint = 255 * (dark ? 0.75 : 0.6);
    const highest = densityAt(this.schedule, 1, 0);
    for (let row = 0, o = 0; row < ROWS; row++) {
      const v = EDGE - (2 * EDGE * (row + 0.5)) / ROWS;
      for (let column = 0; column < COLUMNS; column++, o += 4) {
        const t = Math.round(T * (1 - column / (COLUMNS - 1)));
        const depth = Math.sqrt(densityAt(this.schedule, v, t) / highest);
        image.data.set([...tones.DATA, faint * depth], o);
      }
    }
    pen.putImageData(image, 0, 0);
    return canvas;
  }
}

function paintLines(plot, { left, right, top, bottom }, thin, thick) {
  const alpha = Math.min(0.8, 0.3 + 12 / thin.length);
  const tone = css(plot.tones.NOISE);
  plot.within([left - 7, top - 7, right - left + 14, bottom - top + 14], () => {
    for (const points of thin) plot.line(points, { stroke: plot.ink, width: 0.8, alpha });
    plot.line(thick, { stroke: plot.dark ? "#111" : "white", width: 5, alpha: 0.85 });
    plot.line(thick, { stroke: tone, width: 2.5 });
    for (const [px, py] of [thick[0], thick.at(-1)]) plot.dot(px, py, 6, tone);
  });
}

// Where the thick path starts and ends.
function paintValues(plot, { left, right, top, bottom }, mine, thick) {
  const bold = { weight: 600, halo: true };
  const inside = (v) => Math.min(Math.max(v - 15, top + 10), bottom - 10);
  plot.text(fixed(mine[0]), left + 6, inside(thick[0][1]), bold);
  plot.text(fixed(mine.at(-1)), right - 6, inside(thick.at(-1)[1]), { ...bold, at: "right" });
}

// The ends as bars, the density of the data as a line: its peak fills the strip but for a bit.
function paintEnds(plot, { floor, strip, y }, ends, density) {
  const tall = (0.8 * strip) / density(1);
  const bins = new Map();
  for (const end of ends) {
    const bin = Math.floor(end / BIN);
    bins.set(bin, (bins.get(bin) ?? 0) + 1);
  }
  for (const [bin, many] of bins) {
    const from = y((bin + 1) * BIN) + 0.5;
    const long = Math.min((tall * many) / (ends.length * BIN), strip);
    plot.box(floor, from, floor + long, y(bin * BIN), { fill: css(plot.tones.DATA), alpha: 0.6 });
  }
  const curve = Array.from({ length: 257 }, (_, i) => EDGE - (i * EDGE) / 128);
  const exact = curve.map((v) => [floor + tall * density(v), y(v)]);
  plot.line(exact, { stroke: plot.ink, width: 1.5, dash: [4, 3] });
}

// The values at the left, and what the two ends of time are.
function paintAxes(plot, { left, right, top, bottom }, y) {
  plot.box(left, top, right, bottom, { stroke: plot.ink, alpha: 0.3 });
  const small = { alpha: 0.8, size: 12 };
  for (let v = -2; v <= 2; v += 2)
    plot.text(fixed(v).slice(0, -3), left - 5, y(v), { ...small, at: "right" });
  plot.text(PATHS.noise(T), left, bottom + 21, small);
  plot.text(PATHS.data, right, bottom + 21, { ...small, at: "right" });
  plot.text(PATHS.ends, right + 8, bottom + 21, small);
}
