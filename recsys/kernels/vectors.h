/* Vectors of floats, and what is done to them in more than one place.

A function of a vector is one of each of its lanes. GCC and Clang turn these types into the instructions of whatever
processor they compile for. */

#include <string.h>

#include "sizes.h"

#if defined(__AVX512F__)
#define LANES 16
#else
#define LANES 8 /* where the processor has fewer, the compiler takes two instructions */
#endif

#define LOG2_E 1.44269504f

#define DRAWS 4      /* random bytes in a word */
#define PLACES 16    /* words of neighbouring places: the widest vector's lanes, so that all processors draw alike */
#define LEVELS 256   /* values of a random byte */

typedef float floats __attribute__((vector_size(4 * LANES)));
typedef int32_t ints __attribute__((vector_size(4 * LANES)));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));

/* What is dropped: a byte of hash(place, low, high) below `dropped`. Nothing is where that is 0. */
typedef struct {
    uint32_t dropped, low, high;
} draws;

INLINE floats load(const float *from) {
    floats x;
    memcpy(&x, from, sizeof x);
    return x;
}

INLINE void store(float *to, floats x) { memcpy(to, &x, sizeof x); }

/* x where the mask is -1, 0 where it is 0. */
INLINE floats where(ints mask, floats x) { return (floats)((ints)x & mask); }

INLINE floats choose(ints mask, floats x, floats otherwise) {
    return (floats)(((ints)x & mask) | ((ints)otherwise & ~mask));
}

INLINE floats every(float x) { return (floats){0} + x; }

/* What keeps the mean of what is left. */
INLINE float scale_of(draws d) { return (float)LEVELS / (LEVELS - d.dropped); }

/* 2^x for x <= 0, to 2e-7 of it; exactly 1 at 0, exactly 0 below -126.

x is a whole number, which becomes the exponent's bits, and a rest in [-1/2, 1/2], which goes through a polynomial (of
least squared error relative to 2^x at Chebyshev points). Adding 1.5 * 2^23 rounds to a whole number: it stands in the
lowest bits of the sum. */
INLINE floats power_of_two(floats x) {
    const float round = 12582912.0f;
    const uint32_t round_bits = 0x4B400000;
    ints seen = ~(x < -126.0f); /* what is no number stays so */
    x = where(seen, x);
    floats whole = x + round;
    floats rest = x - (whole - round);
    floats y = rest * 1.53707048e-04f + 1.33998483e-03f;
    y = y * rest + 9.61837325e-03f;
    y = y * rest + 5.55032904e-02f;
    y = y * rest + 2.40226485e-01f;
    y = y * rest + 6.93147206e-01f;
    y = y * rest + 1.0f;
    return where(seen, (floats)((words)y + (((words)whole - round_bits) << 23)));
}

/* The finaliser of MurmurHash3 (Appleby), with a seed before each multiplication: four random bytes for each place. */
INLINE words hash(words place, draws d) {
    words x = place * 0x9E3779B1u + d.low;
    x ^= x >> 16;
    x = (x * 0x85EBCA6Bu) ^ d.high;
    x ^= x >> 13;
    x *= 0xC2B2AE35u;
    return x ^ (x >> 16);
}

/* Whether the byte of each word says to keep. */
INLINE ints keeps(words drawn, int byte, draws d) {
    return (ints)(((drawn >> (8 * byte)) & 255u) >= d.dropped);
}
