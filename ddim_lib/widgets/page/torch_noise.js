// Standard normals as PyTorch draws them from a seed on the CPU: torch.randn in float32, sixteen numbers
// or more at a time. So a page's digits are those of the notebook.

const LENGTH = 624; // Mersenne Twister, MT19937 (Matsumoto & Nishimura 1998)
const SHIFT = 397;

class Twister {
  constructor(seed) {
    this.state = new Uint32Array(LENGTH);
    this.state[0] = seed;
    for (let i = 1; i < LENGTH; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.next = LENGTH;
  }

  twist() {
    const { state } = this;
    for (let i = 0; i < LENGTH; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % LENGTH] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % LENGTH] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
  }

  skip(count) {
    this.next += count;
    for (; this.next > LENGTH; this.next -= LENGTH) this.twist();
  }

  // In [0, 1), of 24 bits.
  uniform() {
    this.skip(1);
    let y = this.state[this.next - 1];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return ((y ^ (y >>> 18)) & 0xffffff) / 0x1000000;
  }
}

// Box and Muller's normals, sixteen at a time: eight radii, then eight angles.
export class TorchNormals {
  constructor(seed) {
    this.twister = new Twister(seed);
    this.uniforms = new Float64Array(16);
  }

  skip(count) {
    this.twister.skip(count);
  }

  fill(out) {
    // out.length: a multiple of 16
    const { uniforms } = this;
    for (let first = 0; first < out.length; first += 16) {
      for (let i = 0; i < 16; i++) uniforms[i] = this.twister.uniform();
      for (let i = 0; i < 8; i++) {
        const radius = Math.sqrt(-2 * Math.log(1 - uniforms[i]));
        const angle = 2 * Math.PI * uniforms[i + 8];
        out[first + i] = radius * Math.cos(angle);
        out[first + i + 8] = radius * Math.sin(angle);
      }
    }
  }
}
