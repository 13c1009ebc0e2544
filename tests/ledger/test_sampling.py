"""The draw can be made again by anybody, follows from the seed alone, and says truly how likely it is to find."""

import hashlib
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.sampling import chance_to_find, commitment_to, digest_of_frame, draw, rank_of, seed_of, size_needed

KEYS = st.sets(st.integers(1, 10**9), min_size=1, max_size=60)


def test_the_draw_is_what_the_docstring_says_and_nothing_else() -> None:
    frame = hashlib.sha256(b"5\n7\n12\n").hexdigest()
    seed = hashlib.sha256(f"SK25-000001\n{frame}\nUSD 512.40\nab12".encode()).hexdigest()
    ranks = {key: hashlib.sha256(f"{seed}:{key}".encode()).hexdigest() for key in (5, 7, 12)}

    assert digest_of_frame([12, 5, 7]) == frame
    assert seed_of(number="SK25-000001", frame=frame, words="USD 512.40", secret="ab12") == seed
    assert draw([5, 7, 12], seed=seed, count=2) == sorted(ranks, key=lambda key: ranks[key])[:2]
    assert commitment_to("ab12") == hashlib.sha256(b"ab12").hexdigest()


@given(KEYS, st.integers(1, 80), st.text(max_size=20))
def test_a_draw_is_the_same_in_any_order_and_never_takes_one_twice(keys: set[int], count: int, seed: str) -> None:
    drawn = draw(sorted(keys), seed=seed, count=count)

    assert drawn == draw(sorted(keys, reverse=True), seed=seed, count=count)
    assert len(drawn) == len(set(drawn)) == min(count, len(keys))
    assert set(drawn) <= keys


@given(KEYS, st.integers(1, 80), st.text(max_size=20))
def test_a_larger_sample_holds_the_smaller_one(keys: set[int], count: int, seed: str) -> None:
    assert draw(keys, seed=seed, count=count + 1)[: min(count, len(keys))] == draw(keys, seed=seed, count=count)


@given(KEYS, st.text(max_size=20))
def test_an_item_is_chosen_by_its_own_rank_whoever_else_is_there(keys: set[int], seed: str) -> None:
    first = draw(keys, seed=seed, count=1)[0]

    assert all(rank_of(seed, first) <= rank_of(seed, other) for other in keys)


@given(KEYS, st.integers(1, 10**9))
def test_any_change_of_the_frame_changes_its_digest(keys: set[int], other: int) -> None:
    assert digest_of_frame(keys ^ {other}) != digest_of_frame(keys)


@given(st.integers(1, 8), st.data())
def test_the_chance_is_that_of_counting_every_sample(frame: int, data: st.DataObject) -> None:
    sample, missing = data.draw(st.integers(0, frame)), data.draw(st.integers(0, frame))
    gone = set(range(missing))
    samples = list(combinations(range(frame), sample))

    met = sum(bool(gone & set(chosen)) for chosen in samples) / len(samples)

    assert chance_to_find(frame=frame, sample=sample, missing=missing) == pytest.approx(met)


@given(st.integers(1, 5000), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_the_size_needed_is_enough_and_one_less_is_not(frame: int, data: st.DataObject, confidence: float) -> None:
    missing = data.draw(st.integers(1, frame))

    size = size_needed(frame=frame, missing=missing, confidence=confidence)

    assert chance_to_find(frame=frame, sample=size, missing=missing) >= confidence
    assert size == 1 or chance_to_find(frame=frame, sample=size - 1, missing=missing) < confidence


def test_what_an_auditor_knows_by_heart() -> None:
    """59 of very many find at least one when one in twenty is missing, with 95 per cent."""
    assert size_needed(frame=100_000, missing=5_000) == 59
    assert chance_to_find(frame=100_000, sample=100_000, missing=1) == 1.0
    assert chance_to_find(frame=10, sample=0, missing=3) == 0.0


@pytest.mark.parametrize("wrong", [(10, 11, 1), (10, 1, 11), (10, -1, 1)])
def test_numbers_that_do_not_fit_are_refused(wrong: tuple[int, int, int]) -> None:
    frame, sample, missing = wrong
    with pytest.raises(ValueError):
        chance_to_find(frame=frame, sample=sample, missing=missing)
