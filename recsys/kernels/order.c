/* Interactions in order: each user's together, oldest first. */

#include <stdlib.h>

#include "sizes.h"

enum { RUN = 16 }; /* events that are sorted by insertion; longer runs by merging */

typedef struct {
    int64_t time, row;
} event;

static void insertion_sort(event *events, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        event moved = events[i];
        int64_t j = i;
        for (; j > 0 && events[j - 1].time > moved.time; j--) events[j] = events[j - 1];
        events[j] = moved;
    }
}

/* Two sorted runs, that of `a` before that of `b`, into `out`; without a branch on times, which no processor predicts. */
static void merge(const event *a, const event *a_end, const event *b, const event *b_end, event *out) {
    while (a < a_end && b < b_end) {
        int later = b->time < a->time;
        const event *next = later ? b : a;
        *out++ = *next;
        b += later, a += !later;
    }
    while (a < a_end) *out++ = *a++;
    while (b < b_end) *out++ = *b++;
}

/* The sorted events, which lie in `events` or in `other`, [count] both. Equal times keep their order. */
static const event *sorted(event *events, event *other, int64_t count) {
    for (int64_t i = 0; i < count; i += RUN) insertion_sort(events + i, at_most(count - i, RUN));
    for (int64_t size = RUN; size < count; size *= 2) {
        for (int64_t i = 0; i < count; i += 2 * size) {
            int64_t middle = at_most(i + size, count), end = at_most(i + 2 * size, count);
            merge(events + i, events + middle, events + middle, events + end, other + i);
        }
        event *swapped = events;
        events = other, other = swapped;
    }
    return events;
}

static int in_order(const event *events, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        if (events[i].time < events[i - 1].time) return 0;
    return 1;
}

/* Writes the rows of the users first..last-1 to `order`: each user's together, by time, equal times as the rows stand.

users, times: of each row, [count]; times may be NULL where the rows stand in order of time. starts, [last + 1]: where each
user's rows begin in `order`. events: to work in. order and events: [count], of which the places of these users alone are
touched. Returns whether there was memory. */
int order_rows(
    const int64_t *users, const int64_t *times, int64_t count, const int64_t *starts, int64_t first, int64_t last,
    event *events, int64_t *order
) {
    int64_t longest = 0;
    for (int64_t user = first; user < last; user++)
        if (starts[user + 1] - starts[user] > longest) longest = starts[user + 1] - starts[user];
    int64_t *next = malloc((last - first) * sizeof *next);
    event *other = malloc(longest * sizeof *other);
    int found = (next || last == first) && (other || !longest);
    if (found) {
        for (int64_t user = first; user < last; user++) next[user - first] = starts[user];
        for (int64_t row = 0; row < count; row++)
            if (users[row] >= first && users[row] < last)
                events[next[users[row] - first]++] = (event){times ? times[row] : 0, row};
        for (int64_t user = first; user < last; user++) {
            event *own = events + starts[user];
            int64_t length = starts[user + 1] - starts[user];
            const event *placed = in_order(own, length) ? own : sorted(own, other, length);
            for (int64_t i = 0; i < length; i++) order[starts[user] + i] = placed[i].row;
        }
    }
    free(next), free(other);
    return found;
}
