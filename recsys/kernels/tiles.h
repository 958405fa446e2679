/* Products of matrices, tile by tile: what a tile adds up stays in registers meanwhile. */

#include "rows.h"

enum { TALLEST = BLOCK, WIDEST = 4 };

/* to[tall][LANES * wide] = or += the product of a (element r, k at r * across + k * along) and b[count][next].

tall and wide are constants: at most TALLEST and WIDEST, and as many sums as there are registers for. */
INLINE void product_tile(
    float *to, int64_t stride, const float *a, int64_t across, int64_t along, const float *b, int64_t next,
    int64_t count, int tall, int wide, int adds
) {
    floats sums[TALLEST][WIDEST];
    for (int r = 0; r < tall; r++)
        for (int c = 0; c < wide; c++) sums[r][c] = adds ? load(to + r * stride + c * LANES) : every(0);
    for (int64_t k = 0; k < count; k++) {
        floats other[WIDEST];
        for (int c = 0; c < wide; c++) other[c] = load(b + k * next + c * LANES);
        for (int r = 0; r < tall; r++)
            for (int c = 0; c < wide; c++) sums[r][c] += a[r * across + k * along] * other[c];
    }
    for (int r = 0; r < tall; r++)
        for (int c = 0; c < wide; c++) store(to + r * stride + c * LANES, sums[r][c]);
}

/* to[rows][columns] = or += the product of a (as above) and b[count][columns], in tiles of `tall` rows, of which there are a
multiple, and `wide` vectors, where there are that many left. */
INLINE void product_in_tiles(
    float *to, int64_t rows, int64_t columns, const float *a, int64_t across, int64_t along, const float *b,
    int64_t count, int tall, int wide, int adds
) {
    int64_t whole = columns / (wide * LANES) * (wide * LANES);
    for (int64_t c = 0; c < whole; c += wide * LANES)
        for (int64_t r = 0; r < rows; r += tall)
            product_tile(
                to + r * columns + c, columns, a + r * across, across, along, b + c, columns, count, tall, wide, adds
            );
    for (int64_t c = whole; c < columns; c += LANES)
        for (int64_t r = 0; r < rows; r += tall)
            product_tile(
                to + r * columns + c, columns, a + r * across, across, along, b + c, columns, count, tall, 1, adds
            );
}
