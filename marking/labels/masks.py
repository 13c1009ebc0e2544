"""Which mask a QR symbol gets: of two, the one that ISO/IEC 18004, 7.8.3, gives the lower penalty.

The standard asks for the best of eight. Trying all takes a writer two thirds of the time of a whole label, and for
signed statements, whose modules are as good as random, the eight differ little: two are enough to pass over a bad one.
Every reader undoes any of the eight. All modules of a symbol are one number here, a row after another, so that each
rule is a few operations on it.
"""

from collections.abc import Iterator
from functools import lru_cache

MASKS = (0, 3)
# Points of the four rules: runs of five and more, blocks of 2 x 2, what looks like a finder, uneven shares.
RUN, BLOCK, FINDER, SHARE = 3, 3, 40, 10


def penalty(digits: bytes, side: int) -> int:
    """The penalty of a symbol of `side` modules; `digits` are its modules row by row, dark "0" and light "1"."""
    rows = int(digits, 2)
    columns = int(b"".join([digits[at::side] for at in range(side)]), 2)
    light = rows.bit_count()
    uneven = abs(light * 20 - side * side * 10) // (side * side)
    same = _alike(rows, 1, side)
    blocks = same & (same >> side) & _alike(rows, side, side)
    points = BLOCK * (blocks & ((1 << side * (side - 1)) - 1)).bit_count() + SHARE * uneven
    return points + sum(_of_lines(lines, side) for lines in (rows, columns))


def _of_lines(lines: int, side: int) -> int:
    same = _alike(lines, 1, side)
    runs = same & (same >> 1) & (same >> 2) & (same >> 3) & _first(side, side - 4)
    begins = runs & ~(runs << 1)
    dark = ~lines
    finder = dark & lines >> 1 & dark >> 2 & dark >> 3 & dark >> 4 & lines >> 5 & dark >> 6
    before = lines & lines >> 1 & lines >> 2 & lines >> 3 & finder >> 4
    behind = finder & lines >> 7 & lines >> 8 & lines >> 9 & lines >> 10
    room = _first(side, side - 10)
    found = (before & room).bit_count() + (behind & room).bit_count()
    # A run of n has n - 4 places where five begin, and is worth 3 and one more for each module beyond five.
    return runs.bit_count() + (RUN - 1) * begins.bit_count() + FINDER * found


def _alike(lines: int, apart: int, side: int) -> int:
    """Where a module is like the one so far behind it, which for neighbours must stand in its own line."""
    alike = ~(lines ^ (lines >> apart))
    return alike & (_first(side, side - 1) if apart == 1 else (1 << side * side) - 1)


@lru_cache(maxsize=64)
def _first(side: int, places: int) -> int:
    """A number with the first so many places of every line set."""
    return sum(((1 << places) - 1) << at for at in _lines(side))


def _lines(side: int) -> Iterator[int]:
    yield from range(0, side * side, side)
