"""Labels survive what happens to them: printed, seen by a camera, turned, blurred, round a horn, dirty."""

import pytest
from PIL import Image

from benchmarks.print_quality import CASES, Case, make_labels, pass_rate, print_symbols, wrapped
from marking.labels import PROFILES, Print

FEW = 6
MUST = [case for case in CASES if case.least]


@pytest.fixture(scope="module", params=[203, 300])
def printed(request: pytest.FixtureRequest) -> list[Image.Image]:
    return print_symbols(PROFILES["roll-50x25"], make_labels(FEW), Print(request.param))


@pytest.mark.parametrize("case", MUST, ids=[case.name for case in MUST])
def test_damaged_labels_are_read(printed: list[Image.Image], case: Case) -> None:
    # Of so few labels one more may fail than of a hundred.
    assert pass_rate(printed, make_labels(FEW), case) >= case.least - 100 / FEW


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
