/* Tables of numbers from text. */

#include "sizes.h"

enum { SKIPPED, WHOLE, FRACTION }; /* what is in a column: anything, integers, numbers */
enum { WHOLE_DIGITS = 18, EXACT_DIGITS = 15 }; /* so many an int64 holds whatever they are, and a double */

/* 10^k, exactly. */
static const double POWERS[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

/* How many lines end from `first` to before `last`. */
int count_lines(const uint8_t *text, int64_t first, int64_t last) {
    int lines = 0;
    for (int64_t i = first; i < last; i++) lines += text[i] == '\n';
    return lines;
}

/* Goes on behind digits, at most `most` of them, which continue *value; returns their number. */
INLINE int digits(const uint8_t **at, const uint8_t *end, int most, int64_t *value) {
    int count = 0;
    for (; count < most && *at < end && (uint8_t)(**at - '0') <= 9; count++) *value = *value * 10 + (*(*at)++ - '0');
    return count;
}

INLINE int minus(const uint8_t **at, const uint8_t *end) {
    int there = *at < end && **at == '-';
    *at += there;
    return there;
}

/* An integer that is written as one writes it: "7" and "-7", not "07", "+7" or "-0". Returns whether there is one. */
INLINE int read_whole(const uint8_t **at, const uint8_t *end, int64_t *to) {
    int negative = minus(at, end), zero = *at < end && **at == '0';
    int64_t value = 0;
    int count = digits(at, end, WHOLE_DIGITS, &value);
    *to = negative ? -value : value;
    return count > 0 && !(zero && (negative || count > 1));
}

/* A number of so few digits that it is the quotient of two exact ones, and as near as a double can be. */
INLINE int read_fraction(const uint8_t **at, const uint8_t *end, double *to) {
    int64_t value = 0;
    int negative = minus(at, end), count = digits(at, end, EXACT_DIGITS, &value), behind = 0;
    if (*at < end && **at == '.') {
        ++*at;
        behind = digits(at, end, EXACT_DIGITS - count, &value);
        if (!behind) return 0;
    }
    double found = (double)value / POWERS[behind];
    *to = negative ? -found : found;
    return count > 0 && !(negative && !value); /* "-0" is 0 among integers, below 0 among others */
}

/* The lines of text[first:last] into columns, from their row `start` on. Returns how many there were, or -1 where one is
anything but `width` plain fields with integers and numbers where they belong.

Between fields stand `repeat` times `delimiter`. kinds, columns: of each field, what it is and where its column stands. */
int read_table(
    const uint8_t *text, int64_t first, int64_t last, int64_t delimiter, int64_t repeat, int64_t width,
    const int64_t *kinds, void *const *columns, int64_t start
) {
    const uint8_t *at = text + first, *end = text + last;
    int rows = 0;
    for (; at < end; rows++) {
        for (int64_t c = 0; c < width; c++) {
            if (kinds[c] == WHOLE) {
                if (!read_whole(&at, end, (int64_t *)columns[c] + start + rows)) return -1;
            } else if (kinds[c] == FRACTION) {
                if (!read_fraction(&at, end, (double *)columns[c] + start + rows)) return -1;
            } else {
                while (at < end && *at != delimiter && *at != '\n' && *at != '\r' && *at != '"') at++;
            }
            for (int64_t i = 0; c + 1 < width && i < repeat; i++)
                if (at == end || *at++ != delimiter) return -1;
        }
        if (at < end && *at == '\r') at++;
        if (at < end && *at++ != '\n') return -1;
    }
    return rows;
}
