/* Causal convolution of rows that are laid end to end, with a filter for each channel, and its gradient.

LANES channels of a row are worked on at a time, [length][LANES]. One loop makes all three results: of rows that are read
backwards, the gradient in a row is the rise (the gradient in the result) convolved with the filter, and that in the
filter the rise convolved with the row. */

#include "rows.h"

/* out[t] = sum over s <= t of filter[t - s] * x[s], t < count. Before the filter stand BLOCK zeros; there is room for whole
blocks behind it and in `out`. */
static void convolve(float *out, const float *filter, const float *x, int64_t count) {
    for (int64_t t = 0; t < count; t += BLOCK) {
        floats sums[BLOCK];
        for (int r = 0; r < BLOCK; r++) sums[r] = every(0);
        for (int64_t s = 0; s < at_most(t + BLOCK, count); s++) {
            const float *weights = filter + (t - s) * LANES;
            floats other = load(x + s * LANES);
            for (int r = 0; r < BLOCK; r++) sums[r] += load(weights + r * LANES) * other;
        }
        for (int r = 0; r < BLOCK; r++) store(out + (t + r) * LANES, sums[r]);
    }
}

/* [count][LANES] -> the first `width` lanes to [count][stride]; where stride is negative, backwards. */
static void write_lanes(float *to, int64_t stride, const float *from, int64_t count, int64_t width) {
    for (int64_t i = 0; i < count; i++) memcpy(to + i * stride, from + i * LANES, width * sizeof *to);
}

/* Rows [begin, end), row b being `lengths[b]` cells from `starts[b]` on, none longer than `longest`: x [*][size], filter
[longest][size] -> out, like x. Returns whether there was memory. */
int convolve_rows(
    const int64_t *starts, const int64_t *lengths, int64_t begin, int64_t end, int64_t longest, int64_t size,
    const float *x, const float *filter, float *out
) {
    int64_t room = rounded_up(longest, BLOCK);
    void *memory;
    float *zeros = reserve((BLOCK + 3 * room) * LANES, &memory);
    if (!memory) return 0;
    float *weights = zeros + BLOCK * LANES, *row = weights + room * LANES, *answer = row + room * LANES;
    memset(zeros, 0, BLOCK * LANES * sizeof *zeros);

    for (int64_t c = 0; c < size; c += LANES) {
        int64_t width = at_most(size - c, LANES);
        copy(weights, room, LANES, filter + c, longest, size, width);
        for (int64_t b = begin; b < end; b++) {
            int64_t at = starts[b] * size + c, length = lengths[b];
            copy(row, length, LANES, x + at, length, size, width);
            convolve(answer, weights, row, length);
            write_lanes(out + at, size, answer, length, width);
        }
    }
    free(memory);
    return 1;
}

/* The gradient of those rows: rise, like x, -> to_x, like x, and what they add to the filter's, to_filter [longest][size]. */
int convolve_rows_backward(
    const int64_t *starts, const int64_t *lengths, int64_t begin, int64_t end, int64_t longest, int64_t size,
    const float *x, const float *filter, const float *rise, float *to_x, float *to_filter
) {
    int64_t room = rounded_up(longest, BLOCK);
    void *memory;
    float *zeros = reserve((2 * BLOCK + 5 * room) * LANES, &memory);
    if (!memory) return 0;
    float *weights = zeros + BLOCK * LANES, *more_zeros = weights + room * LANES, *row = more_zeros + BLOCK * LANES;
    float *back = row + room * LANES, *answer = back + room * LANES, *total = answer + room * LANES;
    memset(zeros, 0, BLOCK * LANES * sizeof *zeros);
    memset(more_zeros, 0, BLOCK * LANES * sizeof *zeros);

    for (int64_t c = 0; c < size; c += LANES) {
        int64_t width = at_most(size - c, LANES);
        copy(weights, room, LANES, filter + c, longest, size, width);
        memset(total, 0, room * LANES * sizeof *total);
        for (int64_t b = begin; b < end; b++) {
            if (!lengths[b]) continue;
            int64_t at = starts[b] * size + c, length = lengths[b], last = at + (length - 1) * size;
            copy(row, rounded_up(length, BLOCK), LANES, x + at, length, size, width);
            copy(back, length, LANES, rise + last, length, -size, width);
            convolve(answer, weights, back, length);
            write_lanes(to_x + last, -size, answer, length, width);
            convolve(answer, row, back, length);
            for (int64_t d = 0; d < length; d++) { /* what lies d apart */
                float *sum = total + d * LANES;
                store(sum, load(sum) + load(answer + (length - 1 - d) * LANES));
            }
        }
        write_lanes(to_filter + c, size, total, longest, width);
    }
    free(memory);
    return 1;
}
