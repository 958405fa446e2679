/* Bytes of text. */

#include "sizes.h"

INLINE int is_digit(uint8_t byte) { return (uint8_t)(byte - '0') <= 9; }

/* Whether a zero between two other bytes says nothing: "007", "0x1F", "-0"; not in "0", "0.5", "100". */
INLINE int is_idle(uint8_t before, uint8_t byte, uint8_t after) {
    int begins = !is_digit(before) & (before != '.'), goes_on = is_digit(after) | ((after | ' ') == 'x');
    return (byte == '0') & ((begins & goes_on) | ((before == '-') & (after != '.')));
}

/* How many lines end from `first` to before `last`; -1 where an integer there might not come back the same when it is read as
a number and written again (it begins with a zero that says nothing, it has blanks around it), or where a field is quoted, so
that its line may go on below.

text: [count], fields between delimiters. What isn't an integer may make it -1 too ("a b", "09:30"). */
int plain_lines(const uint8_t *text, int64_t first, int64_t last, int64_t count, int64_t delimiter) {
    uint8_t between = delimiter, faulty = 0;
    int64_t lines = 0;
    if (first == 0 && count) faulty |= is_idle('\n', text[0], count > 1 ? text[1] : '\n');
    if (last == count && count > 1) faulty |= is_idle(text[count - 2], text[count - 1], '\n');
    for (int64_t i = first ? first : 1; i < at_most(last, count - 1); i++)
        faulty |= is_idle(text[i - 1], text[i], text[i + 1]);
    for (int64_t i = first; i < last; i++) {
        uint8_t byte = text[i];
        faulty |= ((byte == ' ') | (byte == '\t') | (byte == '"')) & (byte != between);
        lines += byte == '\n';
    }
    return faulty ? -1 : lines;
}
