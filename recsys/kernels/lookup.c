/* Rows of a table by their numbers: the gradient. */

#include "vectors.h"

/* Writes rows first..last-1 of `table` [*][size]: each the sum of those of rows [count][size] that are told by `ids` to be its
own; nothing where a row is `skipped`. */
void add_rows(
    const float *rows, const int64_t *ids, int64_t count, int64_t size, int64_t skipped, int64_t first, int64_t last,
    float *table
) {
    memset(table + first * size, 0, (last - first) * size * sizeof *table);
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < first || ids[i] >= last || ids[i] == skipped) continue;
        const float *row = rows + i * size;
        float *to = table + ids[i] * size;
#pragma omp simd
        for (int64_t c = 0; c < size; c++) to[c] += row[c];
    }
}
