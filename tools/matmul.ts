// C = bias + A B for float32 matrices, four rows and eight columns at a time.
//
// A: rows × depth, row after row; rows a multiple of 4.
// B: depth × columns, columns a multiple of 8, as panels of eight columns, each depth × 8.
// C: rows × columns, row after row. bias: one number a column. All four are given by their first byte.
//
// A sum of hundreds of float32 loses digits with each term: BLOCK terms are summed at a time.
const BLOCK: i32 = 32;

export function multiply(
  A: usize, B: usize, bias: usize, C: usize, rows: i32, depth: i32, columns: i32,
): void {
  const rowA: usize = 4 * <usize>depth, rowC: usize = 4 * <usize>columns;
  for (let j = 0; j < columns; j += 8) {
    const panel: usize = B + <usize>j * rowA, first: usize = bias + 4 * <usize>j;
    for (let i = 0; i < rows; i += 4) {
      let a: usize = A + <usize>i * rowA, b: usize = panel;
      const c: usize = C + <usize>i * rowC + 4 * <usize>j;
      for (let row: usize = 0; row < 4; row++) {
        v128.store(c + row * rowC, v128.load(first));
        v128.store(c + row * rowC, v128.load(first, 16), 16);
      }
      for (let k = 0; k < depth; k += BLOCK) {
        const end: usize = a + 4 * <usize>min(BLOCK, depth - k);
        let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00;
        let c20 = c00, c21 = c00, c30 = c00, c31 = c00;
        for (; a < end; a += 4, b += 32) {
          const b0 = v128.load(b), b1 = v128.load(b, 16);
          let x = v128.load32_splat(a);
          c00 = f32x4.add(c00, f32x4.mul(x, b0)); c01 = f32x4.add(c01, f32x4.mul(x, b1));
          x = v128.load32_splat(a + rowA);
          c10 = f32x4.add(c10, f32x4.mul(x, b0)); c11 = f32x4.add(c11, f32x4.mul(x, b1));
          x = v128.load32_splat(a + 2 * rowA);
          c20 = f32x4.add(c20, f32x4.mul(x, b0)); c21 = f32x4.add(c21, f32x4.mul(x, b1));
          x = v128.load32_splat(a + 3 * rowA);
          c30 = f32x4.add(c30, f32x4.mul(x, b0)); c31 = f32x4.add(c31, f32x4.mul(x, b1));
        }
        addTo(c, c00, c01);
        addTo(c + rowC, c10, c11);
        addTo(c + 2 * rowC, c20, c21);
        addTo(c + 3 * rowC, c30, c31);
      }
    }
  }
}

// @ts-ignore: a decorator of the compiler
@inline
function addTo(c: usize, left: v128, right: v128): void {
  v128.store(c, f32x4.add(v128.load(c), left));
  v128.store(c, f32x4.add(v128.load(c, 16), right), 16);
}
