/* One function of several lists of arguments, each list on a thread of its own. */

#include "sizes.h"

enum { ARGUMENTS = 16 };

/* Pointers and int64_t, which are handed over alike; those that a function does not take lie behind those that it does. */
typedef int (*function)(
    int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t,
    int64_t, int64_t, int64_t
);

/* found[i] = work(given[i]...), i < count. */
void side_by_side(function work, int64_t count, const int64_t (*given)[ARGUMENTS], int64_t *found) {
#pragma omp parallel for num_threads(count) schedule(static, 1)
    for (int64_t i = 0; i < count; i++) {
        const int64_t *a = given[i];
        found[i] = work(
            a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], a[11], a[12], a[13], a[14], a[15]
        );
    }
}

/* Whether they do run side by side. */
int has_threads(void) {
#ifdef _OPENMP
    return 1;
#else
    return 0;
#endif
}
