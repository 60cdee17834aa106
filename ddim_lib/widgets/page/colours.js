// The book's colours, orange noise to blue data and not through grey, on light pages and on dark.

export const NOISE = [213, 94, 0],
  MIDDLE = [176, 62, 140],
  DATA = [0, 114, 178];
export const DARK = { NOISE: [240, 128, 48], MIDDLE: [214, 112, 190], DATA: [74, 170, 232] };
const THEMES = {
  attributes: true,
  attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light"],
};

function blend(from, to, w) {
  return from.map((v, i) => Math.round(v + w * (to[i] - v)));
}

export function colour(progress, dark) {
  const [noise, middle, data] = dark ? [DARK.NOISE, DARK.MIDDLE, DARK.DATA] : [NOISE, MIDDLE, DATA];
  return progress < 0.5
    ? blend(noise, middle, 2 * progress)
    : blend(middle, data, 2 * progress - 1);
}

// Whether a CSS colour, as a browser computes it, is a light one: then the page is dark.
export function isLight(css) {
  const [r, g, b] = css.match(/[\d.]+/g).map(Number);
  return (0.299 * r + 0.587 * g + 0.114 * b) * (css.startsWith("color(") ? 255 : 1) > 140;
}

// Call `again` when the canvases' size or the page's theme changes; returns what ends that.
export function watchLooks(canvases, again) {
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const themes = new MutationObserver(again);
  const size = new ResizeObserver(again);
  for (const node of [document.documentElement, document.body]) themes.observe(node, THEMES);
  for (const canvas of canvases) size.observe(canvas);
  scheme.addEventListener("change", again);
  return () => {
    for (const observer of [themes, size]) observer.disconnect();
    scheme.removeEventListener("change", again);
  };
}
