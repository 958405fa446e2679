/* Interactions in order: each user's together, oldest first. */

#include <stdlib.h>
#include <string.h>

#include "sizes.h"

enum { RUN = 8 }; /* keys that are sorted at once; longer runs by merging */

/* Counts the rows of each user among the rows first..last-1. counts: of each user, zeros before. */
void count_rows(const int32_t *users, int64_t first, int64_t last, int64_t *counts) {
    for (int64_t row = first; row < last; row++) counts[users[row]]++;
}

/* Lays the rows first..last-1 of a column of numbers of `size` bytes, 4 or 8, each at its user's next place. */
void group_rows(
    const int32_t *users, int64_t first, int64_t last, int64_t *next, const void *column, int64_t size, void *grouped
) {
    if (size == sizeof(int32_t))
        for (int64_t row = first; row < last; row++)
            ((int32_t *)grouped)[next[users[row]]++] = ((const int32_t *)column)[row];
    else
        for (int64_t row = first; row < last; row++)
            ((int64_t *)grouped)[next[users[row]]++] = ((const int64_t *)column)[row];
}

INLINE void put_in_order(uint64_t *a, uint64_t *b) { /* without a branch, which no processor predicts */
    uint64_t x = *a, y = *b;
    *a = y < x ? y : x, *b = y < x ? x : y;
}

/* RUN keys, by a network: the pairs that it puts in order do not depend on the keys. */
static void sort_run(uint64_t *keys) {
    static const char pairs[][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}, {0, 1}, {2, 3},
                                    {4, 5}, {6, 7}, {2, 4}, {3, 5}, {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6}};
    uint64_t own[RUN];
    for (int i = 0; i < RUN; i++) own[i] = keys[i];
#pragma GCC unroll 19
    for (int i = 0; i < 19; i++) put_in_order(own + pairs[i][0], own + pairs[i][1]);
    for (int i = 0; i < RUN; i++) keys[i] = own[i];
}

static void insertion_sort(uint64_t *keys, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        for (int64_t j = i; j > 0; j--) put_in_order(keys + j - 1, keys + j);
}

/* Two sorted runs of `size` keys, one behind the other, into `out`: from both ends, so that two keys move at a time. */
static void merge_even(const uint64_t *keys, int64_t size, uint64_t *out) {
    const uint64_t *a = keys, *b = keys + size, *a_last = b - 1, *b_last = b + size - 1;
    uint64_t *low = out, *high = out + 2 * size - 1;
    for (int64_t i = 0; i < size; i++) {
        int second = *b < *a, second_last = *b_last > *a_last;
        *low++ = second ? *b : *a;
        b += second, a += !second;
        *high-- = second_last ? *b_last : *a_last;
        b_last -= second_last, a_last -= !second_last;
    }
}

/* Two sorted runs, the keys before `middle` and those from it on, into `out`. */
static void merge(const uint64_t *keys, const uint64_t *middle, const uint64_t *end, uint64_t *out) {
    const uint64_t *a = keys, *b = middle;
    while (a < middle && b < end) {
        int second = *b < *a;
        *out++ = second ? *b : *a;
        b += second, a += !second;
    }
    while (a < middle) *out++ = *a++;
    while (b < end) *out++ = *b++;
}

/* The sorted keys, which are all different; they lie in `keys` or in `other`, [count] both. */
static const uint64_t *sorted(uint64_t *keys, uint64_t *other, int64_t count) {
    int64_t whole = count - count % RUN;
    for (int64_t i = 0; i < whole; i += RUN) sort_run(keys + i);
    insertion_sort(keys + whole, count - whole);
    for (int64_t size = RUN; size < count; size *= 2) {
        int64_t i = 0;
        for (; i + 2 * size <= count; i += 2 * size) merge_even(keys + i, size, other + i);
        if (i < count) merge(keys + i, keys + at_most(i + size, count), keys + count, other + i);
        uint64_t *swapped = keys;
        keys = other, other = swapped;
    }
    return keys;
}

typedef struct {
    int64_t time, place;
} event;

static int by_time_then_place(const void *a, const void *b) {
    const event *x = a, *y = b;
    return x->time != y->time ? (x->time > y->time) - (x->time < y->time) : (x->place > y->place) - (x->place < y->place);
}

/* Writes to `places` where in `times`, [count], the oldest stands, then the next; equal times as they stand. keys: [2 *
count], to work in. */
static void order_times(const int64_t *times, int64_t count, uint64_t *keys, int32_t *places) {
    int64_t oldest = times[0], newest = times[0];
    int in_order = 1, bits = 0; /* bits: what a place needs */
    for (int64_t i = 1; i < count; i++) {
        in_order &= times[i - 1] <= times[i];
        oldest = times[i] < oldest ? times[i] : oldest, newest = times[i] > newest ? times[i] : newest;
    }
    while (count >> bits) bits++;
    if (in_order) {
        for (int64_t i = 0; i < count; i++) places[i] = i;
    } else if (((uint64_t)newest - (uint64_t)oldest) >> (64 - bits) == 0) { /* time and place fit into one number */
        for (int64_t i = 0; i < count; i++) keys[i] = ((uint64_t)times[i] - (uint64_t)oldest) << bits | i;
        const uint64_t *found = sorted(keys, keys + count, count);
        for (int64_t i = 0; i < count; i++) places[i] = found[i] & (((uint64_t)1 << bits) - 1);
    } else {
        event *events = (event *)keys;
        for (int64_t i = 0; i < count; i++) events[i] = (event){times[i], i};
        qsort(events, count, sizeof *events, by_time_then_place);
        for (int64_t i = 0; i < count; i++) places[i] = events[i].place;
    }
}

static int64_t longest(const int64_t *starts, int64_t first, int64_t last) {
    int64_t length = 0;
    for (int64_t user = first; user < last; user++)
        if (starts[user + 1] - starts[user] > length) length = starts[user + 1] - starts[user];
    return length;
}

/* Writes the order of time of the users first..last-1 to `places`: which of a user's rows comes first, then the next; equal
times as the rows stand.

times, places: of all users' rows, [rows]. starts, [last + 1]: where each user's rows begin. Returns whether there was
memory. */
int order_rows(const int64_t *times, const int64_t *starts, int64_t first, int64_t last, int32_t *places) {
    int64_t most = longest(starts, first, last);
    uint64_t *keys = malloc(2 * most * sizeof *keys);
    if (!keys && most) return 0;
    for (int64_t user = first; user < last; user++)
        if (starts[user] < starts[user + 1])
            order_times(times + starts[user], starts[user + 1] - starts[user], keys, places + starts[user]);
    free(keys);
    return 1;
}

/* Puts a column's rows of the users first..last-1 in the order of `places`, as `order_rows` writes it; size: of a number, in
bytes, 4 or 8. Returns whether there was memory. */
int reorder_rows(const int32_t *places, const int64_t *starts, int64_t first, int64_t last, void *column, int64_t size) {
    int64_t most = longest(starts, first, last);
    char *own = malloc(most * size);
    if (!own && most) return 0;
    for (int64_t user = first; user < last; user++) {
        int64_t length = starts[user + 1] - starts[user];
        const int32_t *place = places + starts[user];
        char *rows = (char *)column + starts[user] * size;
        memcpy(own, rows, length * size);
        if (size == sizeof(int32_t))
            for (int64_t i = 0; i < length; i++) ((int32_t *)rows)[i] = ((const int32_t *)own)[place[i]];
        else
            for (int64_t i = 0; i < length; i++) ((int64_t *)rows)[i] = ((const int64_t *)own)[place[i]];
    }
    free(own);
    return 1;
}
