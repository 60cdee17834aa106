// Standard normals by the page itself: a point keeps its own while a slider moves.

const scramble = (h) => {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

// Each point has its own stream, mulberry32 into Marsaglia's polar method, so that the first hundred
// points are the same whether a hundred or a thousand walk, and a point keeps its noise while a
// slider moves.
export class Noise {
  constructor(seed, points) {
    this.states = Uint32Array.from({ length: points }, (_, i) => scramble(scramble(seed) + i));
  }

  uniform(i) {
    // in (0, 1]
    this.states[i] += 0x6d2b79f5;
    const state = this.states[i];
    let h = Math.imul(state ^ (state >>> 15), 1 | state);
    h ^= h + Math.imul(h ^ (h >>> 7), 61 | h);
    return (((h ^ (h >>> 14)) >>> 0) + 1) / 4294967296;
  }

  fill(first, count, out) {
    for (let i = 0; i < count; i++) {
      let u;
      let v;
      let q; // a place in the unit disc gives two normals
      do {
        u = 2 * this.uniform(first + i) - 1;
        v = 2 * this.uniform(first + i) - 1;
        q = u * u + v * v;
      } while (q > 1 || q === 0);
      const stretch = Math.sqrt((-2 * Math.log(q)) / q);
      out[2 * i] = stretch * u;
      out[2 * i + 1] = stretch * v;
    }
  }
}
