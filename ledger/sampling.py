"""Drawing a sample that nobody could steer and anybody can draw again. Pure: the standard library only.

The protocol, so that an auditor with any SHA-256 tool and the published list can repeat it:

1. A secret of 32 random bytes is made (hexadecimal text), and its SHA-256 is published: the commitment.
2. After that the commission writes down words that the system could not know when it committed, best a public figure
   of the day ("USD 512.40, National Bank, 10 November 2025").
3. The frame is frozen: the keys of all items, numbers in rising order, one a line, each line ended by a line feed.
   Its digest is the SHA-256 of that text.
4. The seed is the SHA-256 of four lines joined by line feeds: number of the stock-take, digest of the frame, words,
   secret. All are published then. Whoever made the system did not know the words, whoever chose the words did not know
   the secret, so neither could choose the seed.
5. Each key's rank is the SHA-256 of "seed:key". The items of the lowest ranks, as many as were agreed, are the sample.

Every SHA-256 is written in lower-case hexadecimal; texts are UTF-8. How likely a sample is to meet at least one of the
missing items is the hypergeometric distribution.
"""

import hashlib
from collections.abc import Iterable
from heapq import nsmallest


def sha256_of(text: str) -> str:
    """SHA-256 of the text in UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def commitment_to(secret: str) -> str:
    """What is published before the secret."""
    return sha256_of(secret)


def digest_of_frame(keys: Iterable[int]) -> str:
    """One digest for the whole frame: any item added or left out changes it."""
    digest = hashlib.sha256()
    for key in sorted(keys):
        digest.update(f"{key}\n".encode())
    return digest.hexdigest()


def seed_of(*, number: str, frame: str, words: str, secret: str) -> str:
    """The seed, which follows from what was published before the draw and what was unknown to each side."""
    return sha256_of(f"{number}\n{frame}\n{words}\n{secret}")


def rank_of(seed: str, key: int) -> str:
    """Where an item stands in the draw: lowest first."""
    return sha256_of(f"{seed}:{key}")


def draw(keys: Iterable[int], *, seed: str, count: int) -> list[int]:
    """The `count` keys of the lowest ranks, in rising order of rank; all of them when there are fewer."""
    return nsmallest(count, keys, key=lambda key: (rank_of(seed, key), key))


def chance_to_find(*, frame: int, sample: int, missing: int) -> float:
    """How likely a sample of so many out of the frame meets at least one of so many missing items, from 0 to 1.

    Raises ValueError when the numbers do not fit each other.
    """
    if not (0 <= sample <= frame and 0 <= missing <= frame):
        raise ValueError((frame, sample, missing))
    fewer, more = sorted((sample, missing))
    none_met = 1.0
    for step in range(fewer):
        left = frame - more - step
        if left <= 0 or none_met < 1e-15:
            return 1.0
        none_met *= left / (frame - step)
    return 1.0 - none_met


def size_needed(*, frame: int, missing: int, confidence: float = 0.95) -> int:
    """The smallest sample that meets at least one of so many missing items with this confidence.

    Raises ValueError when nothing is missing, or the confidence is not between 0 and 1.
    """
    if not (0 < missing <= frame and 0 < confidence < 1):
        raise ValueError((frame, missing, confidence))
    least, most = 1, frame - missing + 1
    while least < most:
        middle = (least + most) // 2
        if chance_to_find(frame=frame, sample=middle, missing=missing) >= confidence:
            most = middle
        else:
            least = middle + 1
    return least
