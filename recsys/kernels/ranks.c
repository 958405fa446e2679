/* How many numbers of a row stand above others: what the rank of a target is made of. */

#include "vectors.h"

enum { MANY = 4 * LANES }; /* numbers that are looked at together, so that no count waits for another */

/* Of rows [begin, end) of scores [*, columns] and of the T thresholds of each, [*, T]: how many scores are above a
threshold, and how many at or above it. strange, [*]: how many are no number. */
int count_above(
    int64_t begin, int64_t end, int64_t columns, int64_t T, const float *scores, const float *thresholds,
    int64_t *above, int64_t *at_least, int64_t *strange
) {
    for (int64_t row = begin; row < end; row++) {
        const float *x = scores + row * columns;
        int64_t whole = columns / MANY * MANY, odd = 0;
        for (int64_t t = 0; t < T; t++) {
            float limit = thresholds[row * T + t];
            ints more[4] = {0}, same[4] = {0}, none[4] = {0}; /* a comparison that holds is -1 */
            for (int64_t c = 0; c < whole; c += MANY)
                for (int k = 0; k < 4; k++) {
                    floats y = load(x + c + k * LANES);
                    more[k] -= y > limit;
                    same[k] -= y >= limit;
                    if (!t) none[k] -= y != y;
                }
            int64_t higher = 0, equal = 0;
            for (int k = 0; k < 4; k++)
                for (int lane = 0; lane < LANES; lane++)
                    higher += more[k][lane], equal += same[k][lane], odd += none[k][lane];
            for (int64_t c = whole; c < columns; c++) {
                higher += x[c] > limit, equal += x[c] >= limit;
                if (!t) odd += x[c] != x[c];
            }
            above[row * T + t] = higher, at_least[row * T + t] = equal;
        }
        strange[row] = odd;
    }
    return 1;
}
