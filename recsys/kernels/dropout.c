/* Dropout that keeps no mask: both directions draw the same. */

#include <stddef.h>

#include "vectors.h"

enum { CHUNK = DRAWS * PLACES };

/* CHUNK numbers of out = onto + what is left of x, scaled; their words are those of `place` and the places after it. */
INLINE void drop_chunk(const float *x, const float *onto, float *out, uint32_t place, draws d, float scale) {
    for (int first = 0; first < PLACES; first += LANES) {
        words places;
        for (int lane = 0; lane < LANES; lane++) places[lane] = place + first + lane;
        words bytes = hash(places, d);
        for (int byte = 0; byte < DRAWS; byte++) {
            int at = byte * PLACES + first;
            floats left = where(keeps(bytes, byte, d), load(x + at) * scale);
            store(out + at, onto ? left + load(onto + at) : left);
        }
    }
}

/* The same of the numbers [begin, end), begin being a multiple of CHUNK. onto may be NULL. */
int drop(const float *x, const float *onto, float *out, int64_t begin, int64_t end, const draws *drawn) {
    draws d = *drawn;
    float scale = scale_of(d);
    int64_t whole = end / CHUNK * CHUNK, rest = (end - whole) * sizeof *x;
    for (int64_t i = begin; i < whole; i += CHUNK)
        drop_chunk(x + i, onto ? onto + i : NULL, out + i, (uint32_t)(i / DRAWS), d, scale);
    if (!rest) return 1;

    float last[CHUNK] = {0}, below[CHUNK] = {0};
    memcpy(last, x + whole, rest);
    if (onto) memcpy(below, onto + whole, rest);
    drop_chunk(last, below, last, (uint32_t)(whole / DRAWS), d, scale);
    memcpy(out + whole, last, rest);
    return 1;
}
