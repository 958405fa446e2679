/* Softmax cross-entropy of positions against all items, and its gradient.

POSITIONS at a time go through logits, their softmax and both products of the gradient: of some thousands of items most
of their logits stay in the cache of one core meanwhile. Logits and probabilities are held [panels][POSITIONS][PANEL], so
that every product reads what stands side by side. */

#include <math.h>

#include "tiles.h"

enum {
    POSITIONS = 96,
    PANEL = 48, /* items, in whole vectors */
    WIDE = 3,   /* vectors of items in a tile of logits */
#if LANES == 16
    TALL = 8, /* positions in a tile of logits: TALL * WIDE sums, for which there are registers, as for LOW * DEEP */
    DEEP = 4, /* vectors of hidden numbers in a tile of a gradient */
#else
    TALL = 4,
    DEEP = 2,
#endif
    LOW = 6 /* positions, or items, in a tile of a gradient */
};

/* V items in panels, the last of them filled up; size: D, a multiple of LANES. */
typedef struct {
    int64_t items, panels, size;
} catalogue;

/* Logits x of the queries q, and the highest of each lane of a position's. bias: [panels][PANEL]. */
static void score(
    const catalogue *all, const float *q, const float *weight_across, const float *bias, float *x, floats *highest
) {
    for (int r = 0; r < POSITIONS; r++) highest[r] = every(-INFINITY);
    for (int64_t p = 0; p < all->panels; p++, x += POSITIONS * PANEL, weight_across += all->size * PANEL, bias += PANEL)
        for (int c = 0; c < PANEL; c += WIDE * LANES)
            for (int r = 0; r < POSITIONS; r += TALL) {
                float *to = x + r * PANEL + c;
                for (int i = 0; i < TALL; i++) memcpy(to + i * PANEL, bias + c, WIDE * LANES * sizeof *to);
                product_tile(
                    to, PANEL, q + r * all->size, all->size, 1, weight_across + c, PANEL, all->size, TALL, WIDE, 1
                );
                for (int i = 0; i < TALL; i++)
                    for (int w = 0; w < WIDE; w++) {
                        floats here = load(to + i * PANEL + w * LANES);
                        highest[r + i] = choose(here > highest[r + i], here, highest[r + i]);
                    }
            }
}

/* Of positions [begin, end) the losses and their gradients in the queries are written, those in the table are added to
to_weight and to_bias.

queries: [N][size]. weight: [items][size], weight_across: [panels][size][PANEL], bias: [panels][PANEL], -inf where there
is no item. to_weight and to_bias (or NULL): of as many items as the panels hold. Returns whether there was memory. */
int cross_entropy(
    const catalogue *all, int64_t begin, int64_t end, const float *queries, const float *weight,
    const float *weight_across, const float *bias, const int64_t *target, float *loss, float *to_queries,
    float *to_weight, float *to_bias
) {
    int64_t size = all->size, held = POSITIONS * size;
    void *memory;
    float *x = reserve(all->panels * PANEL * POSITIONS + 2 * held, &memory);
    if (!memory) return 0;
    float *q = x + all->panels * PANEL * POSITIONS, *down = q + held;

    for (int64_t first = begin; first < end; first += POSITIONS) {
        int64_t there = at_most(end - first, POSITIONS);
        floats lanes[POSITIONS];
        float highest[POSITIONS], share[POSITIONS];
        copy(q, POSITIONS, size, queries + first * size, there, size, size);
        score(all, q, weight_across, bias, x, lanes);
        for (int64_t r = 0; r < POSITIONS; r++) {
            highest[r] = -INFINITY;
            for (int lane = 0; lane < LANES; lane++)
                if (lanes[r][lane] > highest[r]) highest[r] = lanes[r][lane];
            lanes[r] = every(0);
        }
        for (int64_t r = 0; r < there; r++) {
            int64_t item = target[first + r];
            loss[first + r] = highest[r] - x[(item / PANEL * POSITIONS + r) * PANEL + item % PANEL];
        }

        memset(down, 0, held * sizeof *down);
        for (int64_t p = 0; p < all->panels; p++) {
            float *power = x + p * POSITIONS * PANEL;
            for (int64_t r = 0; r < POSITIONS; r++)
                for (int c = 0; c < PANEL; c += LANES) {
                    floats here = power_of_two((load(power + r * PANEL + c) - highest[r]) * LOG2_E);
                    lanes[r] += here;
                    store(power + r * PANEL + c, here);
                }
            int64_t steps = at_most(all->items - p * PANEL, PANEL);
            const float *items = weight + p * PANEL * size;
            product_in_tiles(down, POSITIONS, size, power, PANEL, 1, items, steps, LOW, DEEP, 1);
        }

        for (int64_t r = 0; r < there; r++) {
            float total = 0, *mine = q + r * size, *to = to_queries + (first + r) * size;
            for (int lane = 0; lane < LANES; lane++) total += lanes[r][lane];
            share[r] = 1 / total;
            loss[first + r] += logf(total);
            int64_t item = target[first + r];
            for (int64_t d = 0; d < size; d++) {
                to[d] = down[r * size + d] * share[r] - weight[item * size + d];
                to_weight[item * size + d] -= mine[d];
                mine[d] *= share[r]; /* instead of each of the position's probabilities */
            }
            if (to_bias) to_bias[item] -= 1;
        }
        for (int64_t p = 0; p < all->panels; p++) {
            const float *power = x + p * POSITIONS * PANEL;
            product_in_tiles(to_weight + p * PANEL * size, PANEL, size, power, 1, PANEL, q, there, LOW, DEEP, 1);
            for (int64_t r = 0; to_bias && r < there; r++)
                for (int c = 0; c < PANEL; c++) to_bias[p * PANEL + c] += power[r * PANEL + c] * share[r];
        }
    }
    free(memory);
    return 1;
}

/* Whether the processor that this is compiled for has the instructions that the tiles above are made for. Where it has not,
torch's products are faster; and others than x86 may have matrix units that only their own libraries use. */
int multiplies_fast(void) {
#if defined(__AVX2__) && defined(__FMA__)
    return 1;
#else
    return 0;
#endif
}
