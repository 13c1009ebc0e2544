"""Draw the sample of a stock-take again: python3 redraw_sample.py FRAME.csv SEED COUNT. Needs Python alone.

FRAME.csv is the frame as the stock-take's page gives it: key, number, rank, chosen. To check the seed as well, see
`ledger/sampling.py`: it is the SHA-256 of number, digest of the frame, words and secret, joined by line feeds.
"""

import csv
import hashlib
import sys


def main() -> int:
    path, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123  one file, no library
        rows = list(csv.DictReader(file))
    ranked = sorted(rows, key=lambda row: hashlib.sha256(f"{seed}:{row['key']}".encode()).hexdigest())
    drawn = {row["key"] for row in ranked[:count]}
    published = {row["key"] for row in rows if row["chosen"] == "1"}
    frame = "".join(f"{key}\n" for key in sorted(int(row["key"]) for row in rows))
    print("digest of the frame:", hashlib.sha256(frame.encode()).hexdigest())
    print("the sample is the published one" if drawn == published else "the sample is ANOTHER one")
    return int(drawn != published)


if __name__ == "__main__":
    sys.exit(main())
