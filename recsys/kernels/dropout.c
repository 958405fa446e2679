/* Dropout that keeps no mask: both directions draw the same. */

#include <stddef.h>

#include "vectors.h"

enum { CHUNK = DRAWS * LANES };

/* CHUNK numbers of out = onto + what is left of x, scaled. */
INLINE void drop_chunk(const float *x, const float *onto, float *out, words place, draws d, float scale) {
    words bytes = hash(place, d);
    for (int byte = 0; byte < DRAWS; byte++) {
        int at = byte * LANES;
        floats left = where(keeps(bytes, byte, d), load(x + at) * scale);
        store(out + at, onto ? left + load(onto + at) : left);
    }
}

/* The same of `count` numbers. onto may be NULL. */
void drop(const float *x, const float *onto, float *out, int64_t count, const draws *drawn) {
    draws d = *drawn;
    float scale = scale_of(d);
    int64_t whole = count / CHUNK * CHUNK, rest = (count - whole) * sizeof *x;
    words place;
    for (int lane = 0; lane < LANES; lane++) place[lane] = (uint32_t)lane;
    for (int64_t i = 0; i < whole; i += CHUNK, place += LANES)
        drop_chunk(x + i, onto ? onto + i : NULL, out + i, place, d, scale);

    float last[CHUNK] = {0}, below[CHUNK] = {0};
    memcpy(last, x + whole, rest);
    if (onto) memcpy(below, onto + whole, rest);
    drop_chunk(last, below, last, place, d, scale);
    memcpy(out + whole, last, rest);
}
