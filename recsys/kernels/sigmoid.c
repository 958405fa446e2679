/* The sigmoid of each row, in its place, and the row's binary cross-entropy as if every label were off. */

#include <math.h>

#include "vectors.h"

enum { FACTORS = 60 }; /* from 1 to 2 each; their product in all lanes is still a double */

/* Of log(1 + e^x) = max(x, 0) + log(1 + p), p = e^-|x|: the sums of max(x, 0), and the products of 1 + p less 1, which keep
small p to float's precision. */
typedef struct {
    floats above, excess;
} sums;

INLINE floats sigmoid(floats x, sums *own) {
    ints positive = x > 0;
    floats p = power_of_two(choose(positive, -x, x) * LOG2_E);
    own->above += where(positive, x);
    own->excess += p * (1 + own->excess);
    return choose(positive, every(1), p) / (1 + p);
}

static double total_of(sums own) {
    double above = 0, excess = 0;
    for (int lane = 0; lane < LANES; lane++) {
        above += own.above[lane];
        excess += own.excess[lane] * (1 + excess);
    }
    return above + log1p(excess);
}

/* logits [rows][columns] -> their sigmoids, in their place; total, [rows]: sum of log(1 + e^x). */
void sigmoid_rows(float *logits, int64_t rows, int64_t columns, float *total) {
    int64_t whole = columns / LANES * LANES;
    for (int64_t row = 0; row < rows; row++, logits += columns) {
        double found = 0;
        sums here = {every(0), every(0)};
        for (int64_t c = 0, held = 0; c < whole; c += LANES) {
            store(logits + c, sigmoid(load(logits + c), &here));
            if (++held == FACTORS - 1) {
                found += total_of(here);
                here = (sums){every(0), every(0)};
                held = 0;
            }
        }
        if (whole < columns) {
            floats rest = every(-INFINITY);
            memcpy(&rest, logits + whole, (columns - whole) * sizeof *logits);
            rest = sigmoid(rest, &here);
            memcpy(logits + whole, &rest, (columns - whole) * sizeof *logits);
        }
        total[row] = found + total_of(here);
    }
}
