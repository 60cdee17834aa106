// Numbers as a reader sees them, with a true minus.

const minus = (text) => text.replace("-", "−");

export const fixed = (v) => minus(v.toFixed(2));

// Two places; more where they would tell a number as nought or as one that is neither.
export function short(v) {
  const off = Math.abs(1 - v);
  if (v === 0 || off < 1e-12) return v === 0 ? "0" : "1";
  if (off < 0.005) return v.toFixed(Math.ceil(-Math.log10(off)));
  return minus(Math.abs(v) < 0.0995 ? String(Number(v.toPrecision(2))) : v.toFixed(2));
}

// One line of items; it may break only between them.
export const lineOf = (items) => items.map((item) => item.replaceAll(" ", "\u00a0")).join(" · ");
