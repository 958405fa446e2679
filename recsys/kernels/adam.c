/* A step of Adam (Kingma and Ba, ICLR 2015, section 2) on some rows of a table. */

#include <math.h>
#include <stdint.h>

enum { AHEAD = 8, LINE = 64 / sizeof(float) }; /* rows that are on their way from memory; floats fetched at once */

/* fresh1, fresh2: 1 - beta1 and 1 - beta2, which float32 cannot take to their last digits. rate: learning rate over what
corrects the mean's bias. correction: of the squares'. */
typedef struct {
    float beta1, beta2, fresh1, fresh2, eps, rate, correction;
} adam;

static void fetch(const float *row, int64_t size) {
    for (int64_t k = 0; k < size; k += LINE) __builtin_prefetch(row + k, 1);
}

/* The rows `rows`, [count], no two of them alike, of the table, of the gradients' mean and of their squares' mean, all
[*][size]; gradient: [count][size]. */
void adam_rows(
    float *table, float *mean, float *squares, const int64_t *rows, const float *gradient, int64_t count, int64_t size,
    const adam *given
) {
    adam a = *given;
    for (int64_t i = 0; i < count; i++, gradient += size) {
        if (i + AHEAD < count) {
            int64_t next = rows[i + AHEAD] * size;
            fetch(table + next, size), fetch(mean + next, size), fetch(squares + next, size);
        }
        float *weights = table + rows[i] * size, *m = mean + rows[i] * size, *v = squares + rows[i] * size;
#pragma omp simd
        for (int64_t k = 0; k < size; k++) {
            m[k] = a.beta1 * m[k] + a.fresh1 * gradient[k];
            v[k] = a.beta2 * v[k] + a.fresh2 * gradient[k] * gradient[k];
            weights[k] -= a.rate * m[k] / (sqrtf(v[k] / a.correction) + a.eps);
        }
    }
}
