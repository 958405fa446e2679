/* contract(drop(activate(expand(x)))) of cells, one by one, and its gradient.

CELLS cells at a time go through all of it, so that what lies between the two layers, four times as wide as they are,
stays in cache; the backward pass computes it again. Names: W and V the two layers' weights, [hidden][dim] and
[dim][hidden]; what ends in _across is transposed. Every dimension is padded to whole vectors, with zeros. */

#include <math.h>

#include "tiles.h"

enum { CELLS = 64, WIDE = 2, CHUNK = DRAWS * PLACES };

/* dim, hidden: sizes of x and of what lies between. smooth: whether the activation is GELU, else ReLU. */
typedef struct {
    int64_t dim, hidden, smooth;
    draws drawn;
} layers;

/* As product_in_tiles; rows: a multiple of BLOCK. */
static void product(
    float *to, int64_t rows, int64_t columns, const float *a, int64_t across, int64_t along, const float *b,
    int64_t count, int adds
) {
    product_in_tiles(to, rows, columns, a, across, along, b, count, BLOCK, WIDE, adds);
}

/* The normal distribution below x, and its density: Abramowitz and Stegun 7.1.26, to 1e-7. */
INLINE floats normal_below(floats x, floats *density) {
    floats size = choose(x < 0, -x, x);
    floats t = 1.0f / (1.0f + 0.3275911f * 0.70710678f * size);
    floats bell = power_of_two(x * x * -0.72134752f);
    floats tail = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t;
    tail *= 0.5f * bell;
    *density = bell * 0.39894228f;
    return choose(x < 0, tail, 1.0f - tail);
}

/* The activation of x, and its slope. */
INLINE floats activated(floats x, int smooth, floats *slope) {
    if (!smooth) {
        *slope = where(x > 0, every(1));
        return where(x > 0, x);
    }
    floats density, below = normal_below(x, &density);
    *slope = below + x * density;
    return x * below;
}

/* [rows][columns] -> [columns][padded], zeros behind. */
static void transpose(float *to, int64_t padded, const float *from, int64_t rows, int64_t columns) {
    memset(to, 0, columns * padded * sizeof *to);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) to[c * padded + r] = from[r * columns + c];
}

INLINE int64_t in_lanes(int64_t size) { return rounded_up(size, PLACES); }

/* What lies between, of rows [rows][dim]: activated and dropped; where given, the slope of all that. cell: the first's. */
static void between(
    const layers *l, const float *x, int64_t rows, int64_t cell, const float *W_across, const float *bias,
    float *middle, float *slopes
) {
    int64_t dim = in_lanes(l->dim), hidden = in_lanes(l->hidden);
    draws d = l->drawn;
    float scale = scale_of(d);
    product(middle, rows, hidden, x, dim, 1, W_across, l->dim, 0);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < hidden; c += CHUNK)
            for (int first = 0; first < PLACES; first += LANES) {
                words places, bytes = {0};
                uint32_t place = (uint32_t)((cell + r) * rounded_up(hidden, CHUNK) + c) / DRAWS + first;
                for (int lane = 0; lane < LANES; lane++) places[lane] = place + lane;
                if (d.dropped) bytes = hash(places, d);
                for (int byte = 0; byte < DRAWS && c + byte * PLACES < hidden; byte++) {
                    int64_t at = r * hidden + c + byte * PLACES + first;
                    floats slope, y = load(middle + at) + load(bias + at - r * hidden);
                    y = activated(y, l->smooth, &slope);
                    if (d.dropped) {
                        ints kept = keeps(bytes, byte, d);
                        y = where(kept, y * scale);
                        slope = where(kept, slope * scale);
                    }
                    store(middle + at, y);
                    if (slopes) store(slopes + at, slope);
                }
            }
}

/* Cells [begin, end) of x [N, dim] -> out, like x. Returns whether there was memory. */
int feed(
    const layers *l, int64_t begin, int64_t end, const float *x, const float *W, const float *w, const float *V,
    const float *v, float *out
) {
    int64_t dim = in_lanes(l->dim), hidden = in_lanes(l->hidden);
    void *memory;
    float *W_across = reserve(l->dim * hidden + hidden + l->hidden * dim + CELLS * (2 * dim + hidden), &memory);
    if (!memory) return 0;
    float *bias = W_across + l->dim * hidden, *V_across = bias + hidden, *in = V_across + l->hidden * dim;
    float *middle = in + CELLS * dim, *found = middle + CELLS * hidden;
    transpose(W_across, hidden, W, l->hidden, l->dim);
    transpose(V_across, dim, V, l->dim, l->hidden);
    copy(bias, 1, hidden, w, 1, l->hidden, l->hidden);

    for (int64_t cell = begin; cell < end; cell += CELLS) {
        int64_t there = at_most(end - cell, CELLS), rows = rounded_up(there, BLOCK);
        copy(in, rows, dim, x + cell * l->dim, there, l->dim, l->dim);
        between(l, in, rows, cell, W_across, bias, middle, NULL);
        product(found, rows, dim, middle, hidden, 1, V_across, l->hidden, 0);
        for (int64_t r = 0; r < there; r++)
            for (int64_t c = 0; c < l->dim; c++) out[(cell + r) * l->dim + c] = found[r * dim + c] + v[c];
    }
    free(memory);
    return 1;
}

/* The gradient of cells [begin, end): that in `out` -> that in x and, of these cells, those in weights and biases. */
int feed_backward(
    const layers *l, int64_t begin, int64_t end, const float *x, const float *W, const float *w, const float *V,
    const float *grad, float *to_x, float *to_W, float *to_w, float *to_V, float *to_v
) {
    int64_t dim = in_lanes(l->dim), hidden = in_lanes(l->hidden);
    int64_t dim_rows = rounded_up(l->dim, BLOCK), hidden_rows = rounded_up(l->hidden, BLOCK);
    void *memory;
    float *W_across = reserve(
        l->dim * hidden + 2 * hidden + dim + 2 * hidden_rows * dim + 2 * dim_rows * hidden
            + CELLS * (3 * dim + 3 * hidden), &memory
    );
    if (!memory) return 0;
    float *bias = W_across + l->dim * hidden, *W_padded = bias + hidden, *V_padded = W_padded + hidden_rows * dim;
    float *sum_W = V_padded + dim_rows * hidden, *sum_V = sum_W + hidden_rows * dim;
    float *sum_w = sum_V + dim_rows * hidden, *sum_v = sum_w + hidden, *in = sum_v + dim, *rise = in + CELLS * dim;
    float *down = rise + CELLS * dim, *middle = down + CELLS * dim, *slopes = middle + CELLS * hidden;
    float *inner = slopes + CELLS * hidden;
    transpose(W_across, hidden, W, l->hidden, l->dim);
    copy(bias, 1, hidden, w, 1, l->hidden, l->hidden);
    copy(W_padded, hidden_rows, dim, W, l->hidden, l->dim, l->dim);
    copy(V_padded, dim_rows, hidden, V, l->dim, l->hidden, l->hidden);
    memset(sum_W, 0, (hidden_rows * dim + dim_rows * hidden + hidden + dim) * sizeof *sum_W);

    for (int64_t cell = begin; cell < end; cell += CELLS) {
        int64_t there = at_most(end - cell, CELLS), rows = rounded_up(there, BLOCK);
        copy(in, rows, dim, x + cell * l->dim, there, l->dim, l->dim);
        copy(rise, rows, dim, grad + cell * l->dim, there, l->dim, l->dim);
        between(l, in, rows, cell, W_across, bias, middle, slopes);
        product(inner, rows, hidden, rise, dim, 1, V_padded, l->dim, 0);
        product(sum_V, dim_rows, hidden, rise, 1, dim, middle, rows, 1);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t c = 0; c < hidden; c += LANES) {
                floats y = load(inner + r * hidden + c) * load(slopes + r * hidden + c);
                store(inner + r * hidden + c, y);
                store(sum_w + c, load(sum_w + c) + y);
            }
            for (int64_t c = 0; c < dim; c += LANES) store(sum_v + c, load(sum_v + c) + load(rise + r * dim + c));
        }
        product(down, rows, dim, inner, hidden, 1, W_padded, l->hidden, 0);
        product(sum_W, hidden_rows, dim, inner, 1, hidden, in, rows, 1);
        for (int64_t r = 0; r < there; r++) memcpy(to_x + (cell + r) * l->dim, down + r * dim, l->dim * sizeof *to_x);
    }
    for (int64_t h = 0; h < l->hidden; h++) memcpy(to_W + h * l->dim, sum_W + h * dim, l->dim * sizeof *to_W);
    for (int64_t c = 0; c < l->dim; c++) memcpy(to_V + c * l->hidden, sum_V + c * hidden, l->hidden * sizeof *to_V);
    memcpy(to_w, sum_w, l->hidden * sizeof *to_w);
    memcpy(to_v, sum_v, l->dim * sizeof *to_v);
    free(memory);
    return 1;
}
