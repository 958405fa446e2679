/* Sizes, and what is cut or rounded to fit. */

#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))

INLINE int64_t at_most(int64_t x, int64_t limit) { return x < limit ? x : limit; }

INLINE int64_t rounded_up(int64_t x, int64_t step) { return (x + step - 1) / step * step; }
