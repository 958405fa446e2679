/* What functions of rows share: room for one row's numbers, in whole vectors and whole blocks of them. */

#include <stdlib.h>

#include "vectors.h"

#define BLOCK 8 /* sums that are held in registers, none of which waits for another's multiplication */

/* [count][stride] -> [room][padded], zeros where there is nothing. */
static void copy(
    float *to, int64_t room, int64_t padded, const float *from, int64_t count, int64_t stride, int64_t size
) {
    memset(to, 0, room * padded * sizeof *to);
    for (int64_t i = 0; i < count; i++) memcpy(to + i * padded, from + i * stride, size * sizeof *to);
}

/* Memory for `count` floats from a multiple of 64 bytes on; *whole is what to free, NULL where there is no memory. */
static float *reserve(int64_t count, void **whole) {
    *whole = malloc(count * sizeof(float) + 64);
    return (float *)(((uintptr_t)*whole + 63) & ~(uintptr_t)63);
}
