"""Places on a reel as people write them: "17, 40-52"."""

import re
from collections.abc import Iterable

_RANGE = re.compile(r"(\d{1,5})(?:[-\u2010-\u2015](\d{1,5}))?\Z")


class PlacesError(ValueError):
    """`text` is the part that names no place of the reel."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def read_places(text: str, *, last: int) -> list[int]:
    """The places, each once, in order. Raises PlacesError."""
    tidy = re.sub(r"\s*([-\u2010-\u2015])\s*", r"\1", text)
    found: set[int] = set()
    for part in re.split(r"[\s,;]+", tidy.strip()):
        if not part:
            continue
        match = _RANGE.match(part)
        if match is None:
            raise PlacesError(part)
        low, high = int(match[1]), int(match[2] or match[1])
        if not 1 <= low <= high <= last:
            raise PlacesError(part)
        found.update(range(low, high + 1))
    return sorted(found)


def write_places(places: Iterable[int]) -> str:
    """Places as short as people write them: runs as "40-52"."""
    parts: list[list[int]] = []
    for place in sorted(set(places)):
        if parts and place == parts[-1][1] + 1:
            parts[-1][1] = place
        else:
            parts.append([place, place])
    return ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in parts)
