// The digits' noise predictor, for one digit: as ddim_lib/nets.py, in the same order and names.

import { GROUPS, Layers, silu } from "./layers.js";
import { inPanels, Matrices } from "./matmul.js";
import { beside, plus, shuffle, twice, unshuffle } from "./pictures.js";

// Cosines and sines of t at dim/2 frequencies from 1 down to about 1e-4.
function timeEmbedding(t, dim) {
  const half = dim / 2;
  const angle = (k) => t * Math.exp((-Math.log(10_000) * k) / half);
  return Float32Array.from({ length: dim }, (_, k) =>
    k < half ? Math.cos(angle(k)) : Math.sin(angle(k - half)),
  );
}

// x + conv(silu((1 + scale) · norm(conv(silu(norm(x)))) + shift)), scale and shift from t.
function resBlock(layers, name, cIn, cOut, embedding) {
  const norm1 = layers.norm(`${name}.norm1`, cIn);
  const conv1 = layers.conv(`${name}.conv1`, cIn, cOut);
  const scaleShift = layers.linear(`${name}.scale_shift`, embedding, 2 * cOut);
  const norm2 = layers.norm(`${name}.norm2`, cOut);
  const conv2 = layers.conv(`${name}.conv2`, cOut, cOut);
  const skip = cIn === cOut ? (x) => x : layers.conv(`${name}.skip`, cIn, cOut, { size: 1 });
  return (x, e) => {
    const h = conv1(silu(norm1(x)));
    return plus(conv2(silu(norm2(h, scaleShift(e)))), skip(x));
  };
}

// x + self-attention, one head, over the pixels.
function attention(layers, name, c) {
  const norm = layers.norm(`${name}.norm`, c);
  const qkv = layers.conv(`${name}.qkv`, c, 3 * c, { size: 1 });
  const out = layers.conv(`${name}.out`, c, c, { size: 1 });
  return (x) => plus(out({ ...x, data: attend(qkv(norm(x)), c, layers.matrices) }), x);
}

// softmax(q kᵀ / √c) v; qkv holds the three side by side.
function attend({ data, side }, c, matrices) {
  const n = side ** 2;
  const keys = Math.ceil(n / 8) * 8;
  const none = matrices.take(1, Math.max(keys, c)).fill(0);
  const q = matrices.take(n, c);
  const kT = matrices.take(c, keys).fill(0);
  const v = matrices.take(n, c);
  for (let p = 0; p < n; p++)
    for (let i = 0, from = 3 * c * p; i < c; i++, from++) {
      q[p * c + i] = data[from] / Math.sqrt(c);
      kT[inPanels(i, p, c)] = data[from + c];
      v[inPanels(p, i, n)] = data[from + 2 * c];
    }
  const score = matrices.take(n, keys);
  const share = matrices.take(n, n);
  const out = matrices.take(n, c);
  matrices.product(q, kT, none, score, [n, c, keys]);
  for (let p = 0; p < n; p++) softmax(score, p * keys, n, share, p * n);
  return matrices.product(share, v, none, out, [n, n, c]);
}

// Of the n numbers from `from` on, into `out` from `to` on.
function softmax(x, from, n, out, to) {
  let highest = -Infinity;
  let sum = 0;
  for (let i = 0; i < n; i++) highest = Math.max(highest, x[from + i]);
  for (let i = 0; i < n; i++) sum += out[to + i] = Math.exp(x[from + i] - highest);
  for (let i = 0; i < n; i++) out[to + i] /= sum;
}

// Signal amplitude as a formula,  ᾱ = exp(−(u/10 + 9.95 u²)/2)  with u = t/1000.
function signal(t) {
  const u = t / 1000;
  return Math.exp(-(u / 10 + 9.95 * u ** 2) / 2);
}

// The layers of UNet, in the order of nets.py.
function layersOf(layers, { channels: c, embedding, inner: k = 2 * c, blocks = 1 }) {
  const block = (name, cIn, cOut) => resBlock(layers, name, cIn, cOut, embedding);
  const second = (name) => (blocks === 2 ? block(name, c, c) : (h) => h);
  return {
    time0: layers.linear("time.0", c, embedding),
    time2: layers.linear("time.2", embedding, embedding),
    stem: layers.conv("stem", 4, c),
    down14: block("down14", c, c),
    shrink: layers.conv("shrink", c, c, { stride: 2 }),
    down7: block("down7", c, k),
    middle1: block("middle1", k, k),
    attention1: attention(layers, "attention1", k),
    middle2: block("middle2", k, k),
    attention2: attention(layers, "attention2", k),
    up7: block("up7", 2 * k, k),
    grow: layers.conv("grow.1", k, c),
    up14: block("up14", 2 * c, c),
    down14b: second("down14b"),
    up14b: second("up14b"),
    headNorm: layers.norm("head.0", c),
    headConv: layers.conv("head.2", c, 4),
  };
}

// The network of a weight file, as a function (x_t, t) -> ε̂: 784 numbers in, as many out.
//   ε̂(x_t, t) = β̄_t x_t + ᾱ_t v(x_t, t)
// Raises an Error where the weights are not those of this architecture.
export function unet({ config, tensors }, options) {
  const matrices = roomFor(config, tensors, options);
  const net = layersOf(new Layers(tensors, matrices), config);
  const { top } = matrices;

  function forward(x, t) {
    matrices.forget(top);
    const e = silu(net.time2(silu(net.time0(timeEmbedding(t, config.channels)))));
    const h14 = net.down14b(net.down14(net.stem(unshuffle(x, matrices)), e), e);
    const h7 = net.down7(net.shrink(h14), e);
    let h = net.attention1(net.middle1(h7, e));
    h = net.attention2(net.middle2(h, e));
    h = net.up7(beside(h, h7, matrices), e);
    h = net.up14(beside(net.grow(twice(h, matrices)), h14, matrices), e);
    h = net.up14b(h, e);
    const a = signal(t);
    const v = shuffle(net.headConv(silu(net.headNorm(h))));
    return v.map((each, i) => Math.sqrt(1 - a ** 2) * x[i] + a * each);
  }
  return Object.assign(forward, { kind: matrices.kind });
}

// Weights in panels, eight columns wide, and what one forward leaves behind.
function roomFor({ channels: c, inner: k = 2 * c, blocks = 1 }, tensors, options) {
  for (const width of [c, k])
    if (!(width > 0 && width % GROUPS === 0))
      throw new Error(`need channels as a multiple of ${GROUPS}, got ${width}`);
  if (![1, 2].includes(blocks)) throw new Error(`need 1 or 2 blocks at 14×14, got ${blocks}`);
  const weights = Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
  return new Matrices(2 * weights + 20_000 * Math.max(c, k / 2) * blocks, options);
}
