/* softmax(q k' / sqrt(d)) v over the rows of a batch that are laid end to end, and its gradient.

After FlashAttention (Dao et al., NeurIPS 2022): scores exist for one tile at a time, LANES neighbouring queries of a row
and all keys that one of them sees, and are computed again in the backward pass. A tile is held [keys][LANES], so that
what is done to a score is done to a vector of queries. Scores are in bits (multiplied by log2 e) and weights powers of
two.

Names, and what FlashAttention calls them: asked Q, keys K, values V, weights P (dropped and scaled where they meet V),
answer O, level the logarithm of the softmax's denominator; on the way back rise dO, downs dP, slopes dS, shared
rowsum(dO * O). What ends in _across is transposed, [size][LANES]. */

#include <math.h>

#include "rows.h"

#define HIDDEN -1e30f  /* score of a key that is not seen */

/* B rows of H heads of `size` numbers each. Keys of row b: `lengths[b]` cells from `starts[b]` on. Of the first `whole`
rows each cell asks, and with `causal` sees the keys up to its own place; of the others one query each, behind those,
sees the whole row. longest: of the lengths. */
typedef struct {
    const int64_t *starts, *lengths;
    int64_t heads, size, longest, causal, whole;
    float to_bits; /* what scores are multiplied with: log2 e / sqrt(size) */
    draws drawn;
} batch;

/* Queries `first`, ... `first + there - 1` of one row, in lanes; in what is transposed those left over are 0. */
typedef struct {
    int64_t first, there;
    int64_t stop;  /* no lane sees this key or one behind it; a multiple of BLOCK */
    int64_t clear; /* all lanes see every key before this one */
    ints last;     /* the last key that a lane sees */
    words place;   /* where its draws begin */
} tile;

INLINE int64_t num_queries(const batch *all, int64_t row) { return row < all->whole ? all->lengths[row] : 1; }

INLINE int64_t first_query(const batch *all, int64_t row) {
    return row < all->whole ? all->starts[row] : all->starts[all->whole] + row - all->whole;
}

/* The tile whose first query is the row's query i. */
static tile tile_of(const batch *all, int64_t row, int64_t head, int64_t i) {
    int64_t keys = all->lengths[row], draws_a_query = rounded_up(all->longest, BLOCK) / DRAWS;
    int causal = all->causal && row < all->whole;
    tile t = {
        .first = first_query(all, row) + i,
        .there = at_most(num_queries(all, row) - i, LANES),
        .stop = rounded_up(causal ? at_most(i + LANES, keys) : keys, BLOCK),
        .clear = causal ? i + 1 : keys,
    };
    for (int lane = 0; lane < LANES; lane++) {
        t.last[lane] = (int32_t)(causal ? at_most(i + lane, keys - 1) : keys - 1);
        t.place[lane] = (uint32_t)(((t.first + lane) * all->heads + head) * draws_a_query);
    }
    return t;
}

/* sums[r] = sum over k of a[r * across + k * along] times the vector b[k * next], for r < BLOCK: every product of
matrices in here. */
INLINE void products(
    floats *sums, const float *a, int64_t across, int64_t along, const float *b, int64_t next, int64_t count
) {
    for (int r = 0; r < BLOCK; r++) sums[r] = every(0);
    for (int64_t k = 0; k < count; k++) {
        floats other = load(b + k * next);
        for (int r = 0; r < BLOCK; r++) sums[r] += a[r * across + k * along] * other;
    }
}

/* [there][stride] -> [size][LANES], zeros where there is nothing. */
static void transpose(float *to, const float *from, int64_t stride, int64_t size, int64_t there) {
    if (there < LANES) memset(to, 0, size * LANES * sizeof *to);
    for (int64_t c = 0; c < size; c++)
        for (int64_t lane = 0; lane < there; lane++) to[c * LANES + lane] = from[lane * stride + c];
}

INLINE float dot(const float *a, const float *b, int64_t size) {
    float total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t c = 0; c < size; c++) total += a[c] * b[c];
    return total;
}

/* Writes those of BLOCK vectors that are queries of the tile, `lane` being the first, to `to` from column c on. */
INLINE void write_queries(
    float *to, const tile *t, int64_t lane, int64_t c, const floats *sums, int64_t stride, int64_t size
) {
    for (int64_t r = 0; r < at_most(t->there - lane, BLOCK); r++)
        memcpy(to + (t->first + lane + r) * stride + c, &sums[r], at_most(size - c, LANES) * sizeof *to);
}

/* Rows [begin, end) of the batch: queries [*, H size], keys and values [N, 2 H size] -> out, like the queries.

level, [*, H]: log2 of the sum of 2^score, for the way back. Returns whether there was memory. */
int attend(
    const batch *all, int64_t begin, int64_t end, const float *query, const float *key_value, float *out, float *level
) {
    int64_t heads = all->heads, size = all->size, dim = heads * size;
    int64_t padded = rounded_up(size, LANES), room = rounded_up(all->longest, BLOCK);
    draws d = all->drawn;
    void *memory;
    float *keys = reserve(room * (2 * padded + LANES) + LANES * size, &memory);
    if (!memory) return 0;
    float *values = keys + room * padded, *weights = values + room * padded;
    float *asked_across = weights + room * LANES;

    for (int64_t row = begin; row < end; row++)
        for (int64_t head = 0; head < heads; head++) {
            const float *key = key_value + all->starts[row] * 2 * dim + head * size;
            copy(keys, rounded_up(all->lengths[row], BLOCK), padded, key, all->lengths[row], 2 * dim, size);
            copy(values, rounded_up(all->lengths[row], BLOCK), padded, key + dim, all->lengths[row], 2 * dim, size);

            for (int64_t i = 0; i < num_queries(all, row); i += LANES) {
                tile t = tile_of(all, row, head, i);
                floats sums[BLOCK], highest = every(HIDDEN), total = every(0);
                transpose(asked_across, query + t.first * dim + head * size, dim, size, t.there);

                for (int64_t j = 0; j < t.stop; j += BLOCK) {
                    products(sums, keys + j * padded, padded, 1, asked_across, LANES, size);
                    for (int r = 0; r < BLOCK; r++) {
                        floats score = sums[r] * all->to_bits;
                        if (j + BLOCK > t.clear) score = choose(t.last >= (int32_t)(j + r), score, every(HIDDEN));
                        highest = choose(score > highest, score, highest);
                        store(weights + (j + r) * LANES, score);
                    }
                }
                for (int64_t j = 0; j < t.stop; j += DRAWS) {
                    words bytes = hash(t.place + (uint32_t)(j / DRAWS), d);
                    for (int r = 0; r < DRAWS; r++) {
                        floats weight = power_of_two(load(weights + (j + r) * LANES) - highest);
                        total += weight;
                        store(weights + (j + r) * LANES, where(keeps(bytes, r, d), weight));
                    }
                }
                for (int64_t lane = 0; lane < t.there; lane++)
                    level[(t.first + lane) * heads + head] = highest[lane] + log2f(total[lane]);
                for (int64_t lane = 0; lane < t.there; lane += BLOCK)
                    for (int64_t c = 0; c < size; c += LANES) {
                        products(sums, weights + lane, 1, LANES, values + c, padded, t.stop);
                        for (int r = 0; r < BLOCK; r++) sums[r] *= scale_of(d) / total[lane + r];
                        write_queries(out + head * size, &t, lane, c, sums, dim, size);
                    }
            }
        }
    free(memory);
    return 1;
}

/* The gradient of rows [begin, end): that in `out` -> those in queries, keys and values. */
int attend_backward(
    const batch *all, int64_t begin, int64_t end, const float *query, const float *key_value, const float *out,
    const float *level, const float *grad, float *to_query, float *to_key_value
) {
    int64_t heads = all->heads, size = all->size, dim = heads * size;
    int64_t padded = rounded_up(size, LANES), room = rounded_up(all->longest, BLOCK);
    float scale = 1 / sqrtf((float)size);
    draws d = all->drawn;
    void *memory;
    float *keys = reserve(room * (4 * padded + 2 * LANES) + 2 * LANES * (padded + size), &memory);
    if (!memory) return 0;
    float *values = keys + room * padded, *to_keys = values + room * padded, *to_values = to_keys + room * padded;
    float *weights = to_values + room * padded, *slopes = weights + room * LANES;
    float *asked = slopes + room * LANES, *rise = asked + LANES * padded;
    float *asked_across = rise + LANES * padded, *rise_across = asked_across + LANES * size;

    for (int64_t row = begin; row < end; row++)
        for (int64_t head = 0; head < heads; head++) {
            int64_t length = all->lengths[row], rounded = rounded_up(length, BLOCK);
            int64_t there = all->starts[row] * 2 * dim + head * size;
            copy(keys, rounded, padded, key_value + there, length, 2 * dim, size);
            copy(values, rounded, padded, key_value + there + dim, length, 2 * dim, size);
            memset(to_keys, 0, rounded * padded * sizeof *to_keys);
            memset(to_values, 0, rounded * padded * sizeof *to_values);

            for (int64_t i = 0; i < num_queries(all, row); i += LANES) {
                tile t = tile_of(all, row, head, i);
                int64_t at = t.first * dim + head * size;
                floats sums[BLOCK], downs[BLOCK], top = every(0), shared = every(0);
                words bytes = {0};
                copy(asked, t.there, padded, query + at, t.there, dim, size);
                copy(rise, t.there, padded, grad + at, t.there, dim, size);
                transpose(asked_across, asked, padded, size, t.there);
                transpose(rise_across, rise, padded, size, t.there);
                for (int64_t lane = 0; lane < t.there; lane++) {
                    top[lane] = level[(t.first + lane) * heads + head];
                    shared[lane] = dot(out + at + lane * dim, grad + at + lane * dim, size); /* what all weights lose */
                }

                for (int64_t j = 0; j < t.stop; j += BLOCK) {
                    products(sums, keys + j * padded, padded, 1, asked_across, LANES, size);
                    products(downs, values + j * padded, padded, 1, rise_across, LANES, size);
                    for (int r = 0; r < BLOCK; r++) {
                        floats weight = power_of_two(sums[r] * all->to_bits - top);
                        if (j + BLOCK > t.clear) weight = where(t.last >= (int32_t)(j + r), weight);
                        if (r % DRAWS == 0) bytes = hash(t.place + (uint32_t)((j + r) / DRAWS), d);
                        ints kept = keeps(bytes, r % DRAWS, d);
                        store(weights + (j + r) * LANES, where(kept, weight * scale_of(d)));
                        store(slopes + (j + r) * LANES, weight * (where(kept, downs[r] * scale_of(d)) - shared));
                    }
                }
                for (int64_t c = 0; c < padded; c += LANES) {
                    for (int64_t j = 0; j < t.stop; j += BLOCK) {
                        float *to_key = to_keys + j * padded + c, *to_value = to_values + j * padded + c;
                        products(sums, slopes + j * LANES, LANES, 1, asked + c, padded, t.there);
                        products(downs, weights + j * LANES, LANES, 1, rise + c, padded, t.there);
                        for (int r = 0; r < BLOCK; r++) {
                            store(to_key + r * padded, load(to_key + r * padded) + sums[r]);
                            store(to_value + r * padded, load(to_value + r * padded) + downs[r]);
                        }
                    }
                    for (int64_t lane = 0; lane < t.there; lane += BLOCK) {
                        products(sums, slopes + lane, 1, LANES, keys + c, padded, t.stop);
                        for (int r = 0; r < BLOCK; r++) sums[r] *= scale;
                        write_queries(to_query + head * size, &t, lane, c, sums, dim, size);
                    }
                }
            }
            for (int64_t j = 0; j < length; j++)
                for (int64_t c = 0; c < size; c++) {
                    to_key_value[there + j * 2 * dim + c] = to_keys[j * padded + c] * scale;
                    to_key_value[there + j * 2 * dim + dim + c] = to_values[j * padded + c];
                }
        }
    free(memory);
    return 1;
}
