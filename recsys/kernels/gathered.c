/* Queries against rows of a table that each of them has of its own, without a copy of those rows. */

#include <stdint.h>

/* logits [n][columns]: queries [n][size] times the rows `items` [n][columns] of the table [rows][size].

Returns whether the table has all of them. */
int score_gathered(
    const float *queries, const float *table, int64_t rows, const int64_t *items, float *logits, int64_t n,
    int64_t columns, int64_t size
) {
    for (int64_t i = 0; i < n * columns; i++) {
        if (items[i] < 0 || items[i] >= rows) return 0;
        const float *query = queries + i / columns * size, *item = table + items[i] * size;
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (int64_t k = 0; k < size; k++) sum += query[k] * item[k];
        logits[i] = sum;
    }
    return 1;
}

/* The gradient in those logits, once they have been computed: written to `to_queries` [n][size], added to `to_table` [*][size]. */
void gathered_gradient(
    const float *gradient, const float *queries, const float *table, const int64_t *items, float *to_queries,
    float *to_table, int64_t n, int64_t columns, int64_t size
) {
    for (int64_t i = 0; i < n; i++, queries += size, to_queries += size) {
        for (int64_t k = 0; k < size; k++) to_queries[k] = 0;
        for (int64_t c = 0; c < columns; c++, gradient++, items++) {
            const float *item = table + *items * size;
            float *to_item = to_table + *items * size, slope = *gradient;
#pragma omp simd
            for (int64_t k = 0; k < size; k++) {
                to_queries[k] += slope * item[k];
                to_item[k] += slope * queries[k];
            }
        }
    }
}
