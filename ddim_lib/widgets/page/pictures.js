// Pictures between the layers: { data, side, channels }, pixel after pixel, a pixel's channels side by
// side; and the digits themselves, of PIXELS numbers, row after row.

export const SIDE = 28;
export const PIXELS = SIDE ** 2;

// Each 2 × 2 patch of pixels folded into channels, and back.
export function unshuffle(x, matrices) {
  const side = SIDE / 2;
  const data = matrices.take(side ** 2, 4);
  for (let i = 0; i < PIXELS; i++) data[folded(i, 4)] = x[i];
  return { data, side, channels: 4 };
}

export const shuffle = ({ data, channels }) =>
  Float32Array.from({ length: PIXELS }, (_, i) => data[folded(i, channels)]);

function folded(i, channels) {
  const y = Math.floor(i / SIDE);
  const x = i % SIDE;
  return ((y >> 1) * (SIDE / 2) + (x >> 1)) * channels + 2 * (y & 1) + (x & 1);
}

export function plus(x, y) {
  for (let i = 0; i < x.data.length; i++) x.data[i] += y.data[i];
  return x;
}

// Two pictures' channels, pixel by pixel.
export function beside(x, y, matrices) {
  const channels = x.channels + y.channels;
  const data = matrices.take(x.side ** 2, channels);
  for (let p = 0; p < x.side ** 2; p++) {
    data.set(x.data.subarray(p * x.channels, (p + 1) * x.channels), p * channels);
    data.set(y.data.subarray(p * y.channels, (p + 1) * y.channels), p * channels + x.channels);
  }
  return { data, side: x.side, channels };
}

// Each pixel four times.
export function twice({ data, side, channels }, matrices) {
  const wide = 2 * side;
  const out = matrices.take(wide ** 2, channels);
  for (let p = 0; p < wide ** 2; p++) {
    const from = ((Math.floor(p / wide) >> 1) * side + ((p % wide) >> 1)) * channels;
    out.set(data.subarray(from, from + channels), p * channels);
  }
  return { data: out, side: wide, channels };
}
