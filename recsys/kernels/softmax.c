/* The softmax of each row, in its place: a row is read from memory once and stays in cache for what follows. */

#include <math.h>

#include "vectors.h"

enum { HELD = 4, STEP = HELD * LANES }; /* vectors in hand, none of which waits for another; their numbers */

INLINE float larger(float x, float y) { return x > y ? x : y; }

static float highest_of(const float *x, int64_t count) {
    int64_t whole = count / STEP * STEP;
    float highest = -INFINITY;
    floats found[HELD];
    for (int k = 0; k < HELD; k++) found[k] = every(-INFINITY);
    for (int64_t c = 0; c < whole; c += STEP)
        for (int k = 0; k < HELD; k++) {
            floats here = load(x + c + k * LANES);
            found[k] = choose(here > found[k], here, found[k]);
        }
    for (int k = 0; k < HELD; k++)
        for (int lane = 0; lane < LANES; lane++) highest = larger(found[k][lane], highest);
    for (int64_t c = whole; c < count; c++) highest = larger(x[c], highest);
    return highest;
}

/* x becomes e^(x - highest), `highest` being the highest of them; returns the sum. */
static float exponentiate(float *x, int64_t count, float highest) {
    int64_t whole = count / STEP * STEP;
    float total = 0;
    floats sums[HELD];
    for (int k = 0; k < HELD; k++) sums[k] = every(0);
    for (int64_t c = 0; c < whole; c += STEP)
        for (int k = 0; k < HELD; k++) {
            floats power = power_of_two((load(x + c + k * LANES) - highest) * LOG2_E);
            sums[k] += power;
            store(x + c + k * LANES, power);
        }
    for (int64_t c = whole; c < count; c += LANES) {
        int64_t size = at_most(count - c, LANES) * sizeof *x;
        floats rest = every(-INFINITY);
        memcpy(&rest, x + c, size);
        rest = power_of_two((rest - highest) * LOG2_E);
        sums[0] += rest;
        memcpy(x + c, &rest, size);
    }
    for (int k = 0; k < HELD; k++)
        for (int lane = 0; lane < LANES; lane++) total += sums[k][lane];
    return total;
}

/* logits [rows][columns] -> their softmax, in their place; level, [rows]: log of the sum of e^x. */
void softmax_rows(float *logits, int64_t rows, int64_t columns, float *level) {
    for (int64_t row = 0; row < rows; row++, logits += columns) {
        float highest = highest_of(logits, columns), total = exponentiate(logits, columns, highest);
        float share = 1 / total;
#pragma omp simd
        for (int64_t c = 0; c < columns; c++) logits[c] *= share;
        level[row] = highest + logf(total);
    }
}
