// The layers that the network is made of, for one digit, on pictures as pictures.js has them.

import { inPanels } from "./matmul.js";

export const GROUPS = 8; // of every group norm; channel counts are multiples of it

// In place, of a picture or of numbers.
export function silu(x) {
  const data = x.data ?? x;
  const n = data.length;
  for (let i = 0; i < n; i++) data[i] /= 1 + Math.exp(-data[i]);
  return x;
}

// Each method takes a layer's weights by their name in the file and returns the layer, a function.
export class Layers {
  constructor(tensors, matrices) {
    Object.assign(this, { tensors, matrices });
  }

  weight(name, ...shape) {
    const found = this.tensors[name];
    if (`${found?.shape}` !== `${shape}`)
      throw new Error(`need (${shape}) as ${name}, got ${found ? `(${found.shape})` : "nothing"}`);
    return found.data;
  }

  linear(name, inputs, outputs) {
    const weight = this.weight(`${name}.weight`, outputs, inputs);
    const bias = this.weight(`${name}.bias`, outputs);
    return (x) => {
      const y = new Float32Array(outputs);
      for (let o = 0, w = 0; o < outputs; o++) {
        let sum = bias[o];
        for (let i = 0; i < inputs; i++) sum += weight[w++] * x[i];
        y[o] = sum;
      }
      return y;
    };
  }

  // size: 3, with a frame of zeros, or 1. Outputs are filled up to a multiple of eight with zeros.
  conv(name, inputs, outputs, { size = 3, stride = 1 } = {}) {
    const { matrices } = this;
    const depth = size ** 2 * inputs;
    const channels = Math.ceil(outputs / 8) * 8;
    const weight = this.weight(`${name}.weight`, outputs, inputs, size, size);
    const B = matrices.take(depth, channels);
    const bias = matrices.take(1, channels).fill(0);
    B.fill(0);
    for (let o = 0, w = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let place = 0; place < size ** 2; place++)
          B[inPanels(place * inputs + i, o, depth)] = weight[w++];
    bias.set(this.weight(`${name}.bias`, outputs));
    return (x) => {
      const side = x.side / stride;
      const data = matrices.take(side ** 2, channels);
      const { top } = matrices;
      const A = size === 1 ? x.data : neighbourhoods(x, stride, matrices);
      matrices.product(A, B, bias, data, [side ** 2, depth, channels]);
      matrices.forget(top);
      return { data, side, channels };
    };
  }

  // (1 + scale) · norm(x) + shift; `modulation` holds the scales, then the shifts.
  norm(name, channels) {
    const weight = this.weight(`${name}.weight`, channels);
    const bias = this.weight(`${name}.bias`, channels);
    const { matrices } = this;
    const width = channels / GROUPS;
    const none = new Float32Array(2 * channels);
    const slope = new Float64Array(channels);
    const height = new Float64Array(channels);
    return (x, modulation = none) => {
      for (let c = 0, m; c < channels; c++) {
        if (c % width === 0) m = moments(x, c, width);
        const scale = 1 + modulation[c];
        slope[c] = (scale * weight[c]) / m.deviation;
        height[c] = scale * bias[c] + modulation[channels + c] - slope[c] * m.mean;
      }
      return { ...x, data: scaled(x.data, slope, height, matrices.take(x.side ** 2, channels)) };
    };
  }
}

// Each channel c of each pixel: slope_c x + height_c.
function scaled(data, slope, height, out) {
  const n = data.length;
  const channels = slope.length;
  for (let p = 0; p < n; p += channels)
    for (let c = 0; c < channels; c++) out[p + c] = slope[c] * data[p + c] + height[c];
  return out;
}

// Mean and standard deviation of the channels first … first + width of all pixels.
function moments({ data, channels }, first, width) {
  let sum = 0;
  let squares = 0;
  for (let p = first; p < data.length; p += channels)
    for (let i = p, end = p + width; i < end; i++) {
      const x = data[i];
      sum += x;
      squares += x * x;
    }
  const count = (data.length / channels) * width;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(squares / count - mean * mean + 1e-5) };
}

// For each pixel, or each second one of each second row, the 3 × 3 pixels around it as a row of a matrix.
function neighbourhoods({ data, side, channels }, stride, matrices) {
  const wide = side + 2;
  const run = 3 * channels;
  const width = side * channels;
  const { all } = matrices;
  const framed = matrices.take(wide ** 2, channels).fill(0);
  const rows = matrices.take((side / stride) ** 2, 3 * run);
  for (let y = 0; y < side; y++)
    framed.set(data.subarray(y * width, (y + 1) * width), ((y + 1) * wide + 1) * channels);
  const first = framed.byteOffset / 4;
  let to = rows.byteOffset / 4;
  for (let y = 0; y < side; y += stride)
    for (let x = 0; x < side; x += stride)
      for (let dy = 0; dy < 3; dy++, to += run) {
        const from = first + ((y + dy) * wide + x) * channels;
        all.copyWithin(to, from, from + run);
      }
  return rows;
}
