"""Labels survive what happens to them: printed, seen by a camera, turned, blurred, round a horn, dirty."""

import itertools

import pytest
from PIL import Image

from benchmarks.print_quality import CASES, Case, make_labels, pass_rate, print_symbols, wrapped
from marking.labels import PROFILES, Print, suits_horns

FEW = 6
MUST = [case for case in CASES if case.least]


@pytest.fixture(scope="module", params=[203, 300])
def printed(request: pytest.FixtureRequest) -> list[Image.Image]:
    return print_symbols(PROFILES["roll-50x25"], make_labels(FEW), Print(request.param))


@pytest.mark.parametrize("case", MUST, ids=[case.name for case in MUST])
def test_damaged_labels_are_read(printed: list[Image.Image], case: Case) -> None:
    # Of so few labels one more may fail than of a hundred.
    assert pass_rate(printed, make_labels(FEW), case) >= case.least - 100 / FEW


ON_HORNS = [case for case in CASES if case.on_horns]


@pytest.mark.parametrize("name", ["roll-50x25", "a4-65"])
def test_labels_for_horns_are_read_round_a_horn_whichever_way_they_lie(name: str) -> None:
    assert suits_horns(PROFILES[name], "qr", 300)
    labels = make_labels(FEW)
    seen = print_symbols(PROFILES[name], labels, Print(300))

    for case in ON_HORNS:
        assert pass_rate(seen, labels, case) >= case.on_horns - 100 / FEW, case.name


def test_wide_symbols_and_fine_modules_are_not_said_to_suit_horns() -> None:
    known = itertools.product(PROFILES, (203, 300, 600))
    suited = {(name, dpi) for name, dpi in known if suits_horns(PROFILES[name], "qr", dpi)}
    assert suited == {(name, dpi) for name in ("roll-50x25", "a4-65") for dpi in (300, 600)}
    assert not any(suits_horns(stock, "datamatrix", 300) for stock in PROFILES.values())
    labels = make_labels(2)
    lying = next(case for case in CASES if case.name == "horn_27mm_lying")
    assert pass_rate(print_symbols(PROFILES["a4-21"], labels, Print(300)), labels, lying) == 0


@pytest.mark.parametrize("symbols", ["datamatrix", "both"])
@pytest.mark.parametrize("name", [name for name in PROFILES if name != "roll-100x150"])
def test_other_symbols_and_sizes_are_read_flat_and_turned(name: str, symbols: str) -> None:
    labels = make_labels(2)
    seen = print_symbols(PROFILES[name], labels, Print(300, symbols))

    for case in CASES[:4]:
        assert pass_rate(seen, labels, case) == 100


def test_the_damage_is_real_and_the_same_every_time(printed: list[Image.Image]) -> None:
    labels = make_labels(FEW)
    worst = next(case for case in CASES if case.name == "dirt_5%")

    assert pass_rate(printed, labels, worst) == pass_rate(printed, labels, worst) < 100
    # What is wrapped round a horn is narrower than what lay flat.
    assert wrapped()(printed[0], None).width < printed[0].width * 0.9  # type: ignore[arg-type]
