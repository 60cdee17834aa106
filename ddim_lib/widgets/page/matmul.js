// C = bias + A B for float32 matrices in one memory: by WebAssembly where the browser has its SIMD
// and the page allows it, else the same in plain JavaScript.

// Made of tools/matmul.ts by tools/matmul.sh.
// e512710b70fb2ab8 begins the SHA-256 of matmul.ts.
const MODULE =
  "AGFzbQEAAAABCwFgB39/f39/f38AAwIBAAUDAQAABxUCCG11bHRpcGx5AAAGbWVtb3J5AgAK1wUB1AUCC38LeyAFQQJ0" +
  "IQ4gBkECdCENA0AgBiAMSgRAIAEgDCAObGohByACIAxBAnRqIQpBACELA0AgBCALSgRAIAAgCyAObGohECAHIQggAyAL" +
  "IA1saiAMQQJ0aiEPQQAhEQNAIBFBBEkEQCAPIA0gEWxqIgkgCv0ABAD9CwQAIAkgCv0ABBD9CwQQIBFBAWohEQwBCwtB" +
  "ACERA0AgBSARSgRAIBBBICAFIBFrIgkgCUEgShtBAnRqIQn9DAAAAAAAAAAAAAAAAAAAAAAhHP0MAAAAAAAAAAAAAAAA" +
  "AAAAACEb/QwAAAAAAAAAAAAAAAAAAAAAIRr9DAAAAAAAAAAAAAAAAAAAAAAhGf0MAAAAAAAAAAAAAAAAAAAAACEY/QwA" +
  "AAAAAAAAAAAAAAAAAAAAIRf9DAAAAAAAAAAAAAAAAAAAAAAhFv0MAAAAAAAAAAAAAAAAAAAAACEVA0AgCSAQSwRAIBwg" +
  "EP0JAgAiEiAI/QAEACIU/eYB/eQBIRwgGyASIAj9AAQQIhP95gH95AEhGyAaIA4gEGr9CQIAIhIgFP3mAf3kASEaIBkg" +
  "EiAT/eYB/eQBIRkgGCAQIA5BAXRq/QkCACISIBT95gH95AEhGCAXIBIgE/3mAf3kASEXIBYgECAOQQNsav0JAgAiEiAU" +
  "/eYB/eQBIRYgFSASIBP95gH95AEhFSAQQQRqIRAgCEEgaiEIDAELCyAPIA/9AAQAIBz95AH9CwQAIA8gD/0ABBAgG/3k" +
  "Af0LBBAgDSAPaiIJIAn9AAQAIBr95AH9CwQAIAkgCf0ABBAgGf3kAf0LBBAgDyANQQF0aiIJIAn9AAQAIBj95AH9CwQA" +
  "IAkgCf0ABBAgF/3kAf0LBBAgDyANQQNsaiIJIAn9AAQAIBb95AH9CwQAIAkgCf0ABBAgFf3kAf0LBBAgEUEgaiERDAEL" +
  "CyALQQRqIQsMAQsLIAxBCGohDAwBCwsL";

const PAGE = 65_536; // bytes, of WebAssembly's memory
const ROWS = 4;
const COLUMNS = 8; // of C at a time

// All matrices lie in one array of float32, `all`, row after row.
export class Matrices {
  constructor(room, { plain = false } = {}) {
    // room: for how many numbers
    const pages = Math.ceil((4 * room) / PAGE);
    const module = plain ? null : compiled();
    const { memory, multiply } = module ? new WebAssembly.Instance(module).exports : {};
    memory?.grow(pages);
    this.all = new Float32Array(memory?.buffer ?? new ArrayBuffer(pages * PAGE));
    this.kind = module ? "WebAssembly" : "plain JavaScript";
    this.multiply =
      multiply ??
      ((...places) => plainMultiply(this.all, ...places.map((p, i) => (i < 4 ? p / 4 : p))));
    this.top = 0;
  }

  // Room for a matrix, with what is left there by others.
  take(rows, columns) {
    const from = this.top;
    this.top += Math.ceil(rows / ROWS) * ROWS * Math.ceil(columns / COLUMNS) * COLUMNS;
    if (this.top > this.all.length)
      throw new RangeError(`need room for ${this.top} numbers, got ${this.all.length}`);
    return this.all.subarray(from, from + rows * columns);
  }

  // Gives back all that was taken since `top` was what it says.
  forget(top) {
    this.top = top;
  }

  // C = bias + A B. A: rows × depth. B: depth × columns, in panels. bias: a number a column.
  product(A, B, bias, C, [rows, depth, columns]) {
    const places = [A, B, bias, C].map(({ byteOffset }) => byteOffset);
    this.multiply(...places, Math.ceil(rows / ROWS) * ROWS, depth, columns);
    return C;
  }
}

// Where the number in row k and column j of a depth × columns matrix B lies: B is cut into panels of
// eight columns, so that the product reads it from end to end.
export const inPanels = (k, j, depth) => ((j >> 3) * depth + k) * COLUMNS + (j & 7);

// Null where there is no WebAssembly, none with SIMD, or a page's policy that forbids it.
function compiled() {
  const bytes = Uint8Array.from(atob(MODULE), (c) => c.charCodeAt(0));
  if (!globalThis.WebAssembly?.validate(bytes)) return null;
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return null;
    throw error;
  }
}

// matmul.ts without SIMD.
function plainMultiply(all, A, B, bias, C, rows, depth, columns) {
  for (let j = 0; j < columns; j += COLUMNS)
    for (let i = 0; i < rows; i++)
      eightColumns(all, A + i * depth, B + j * depth, bias + j, C + i * columns + j, depth);
}

function eightColumns(all, a, b, bias, c, depth) {
  let c0 = all[bias];
  let c1 = all[bias + 1];
  let c2 = all[bias + 2];
  let c3 = all[bias + 3];
  let c4 = all[bias + 4];
  let c5 = all[bias + 5];
  let c6 = all[bias + 6];
  let c7 = all[bias + 7];
  for (const end = a + depth; a < end; a++, b += COLUMNS) {
    const x = all[a];
    c0 += x * all[b];
    c1 += x * all[b + 1];
    c2 += x * all[b + 2];
    c3 += x * all[b + 3];
    c4 += x * all[b + 4];
    c5 += x * all[b + 5];
    c6 += x * all[b + 6];
    c7 += x * all[b + 7];
  }
  all[c] = c0;
  all[c + 1] = c1;
  all[c + 2] = c2;
  all[c + 3] = c3;
  all[c + 4] = c4;
  all[c + 5] = c5;
  all[c + 6] = c6;
  all[c + 7] = c7;
}
