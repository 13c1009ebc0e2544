"""The arithmetic of the stock statement, without a database."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from marking.codes import parse
from reports.balance import NOTHING, Amount, Line, Reason, Source, add_up, check_code, differences

DAY = date(2026, 1, 15)
HORN = "HOR:removal"


def line(
    movement: int, *, came: Amount = NOTHING, left: Amount = NOTHING, stock_class: str = HORN, kind: str = "intake"
) -> Line:
    at = datetime(2026, 1, 15, tzinfo=UTC)
    return Line(movement, DAY, at, kind, "", 7, None, stock_class, came, left, 1)


amounts = st.builds(Amount, st.integers(0, 10**6), st.integers(0, 10**9))
lines = st.lists(
    st.builds(
        lambda movement, came, left, stock_class: line(movement, came=came, left=left, stock_class=stock_class),
        st.integers(1, 10**6),
        amounts,
        amounts,
        st.sampled_from([HORN, "HOR:seizure", "MEA:removal"]),
    ),
    max_size=30,
)


@given(lines)
def test_opening_and_in_less_out_is_closing_for_every_class_and_reason(lines: list[Line]) -> None:
    source = Source(opening={HORN: Amount(10, 2_000)}, lines=lines)

    for balance in add_up(source):
        assert balance.closing == balance.opening + balance.came - balance.left
        assert sum(amount.grams for amount in balance.came_by.values()) == balance.came.grams
        assert sum(amount.pieces for amount in balance.left_by.values()) == balance.left.pieces


def test_reasons_are_told_apart() -> None:
    source = Source(
        lines=[
            line(1, came=Amount(6, 1_200)),
            line(2, left=Amount(2, 400), kind="dispatch"),
            line(3, left=Amount(1, 200), kind="dispatch"),
        ]
    )

    (balance,) = add_up(source)

    assert balance.came_by == {Reason("intake", 7): Amount(6, 1_200)}
    assert balance.left_by == {Reason("dispatch", 7): Amount(3, 600)}
    assert balance.closing == Amount(3, 600)


def test_a_class_that_was_never_there_is_left_out() -> None:
    assert add_up(Source(opening={HORN: NOTHING})) == []


def test_it_agrees_with_totals_that_later_movements_changed() -> None:
    source = Source(
        opening={HORN: Amount(4, 800)},
        lines=[line(1, left=Amount(1, 200))],
        later={HORN: Amount(-3, -600), "HOR:seizure": Amount(2, 500)},
        totals={HORN: NOTHING, "HOR:seizure": Amount(2, 500)},
    )

    assert differences(add_up(source), source) == []


def test_it_names_the_class_that_does_not_agree() -> None:
    source = Source(opening={HORN: Amount(4, 800)}, totals={HORN: Amount(4, 799), "MEA:removal": Amount(1, 1)})

    found = differences(add_up(source), source)

    assert [difference.stock_class for difference in found] == [HORN, "MEA:removal"]
    assert found[0].by_postings == Amount(4, 800)
    assert found[0].by_totals == Amount(4, 799)


def test_the_check_code_is_a_code_and_follows_every_figure() -> None:
    source = Source(opening={HORN: Amount(4, 800)}, lines=[line(1, left=Amount(1, 200))])
    other = Source(opening={HORN: Amount(4, 800)}, lines=[line(1, left=Amount(1, 201))])

    code = check_code("CS-75", DAY, DAY, source)

    assert len(parse(code)) == 12
    assert check_code("CS-75", DAY, DAY, source) == code
    assert check_code("CS-75", DAY, DAY, other) != code
    assert check_code("RP-27", DAY, DAY, source) != code
    assert check_code("CS-75", date(2026, 1, 1), DAY, source) != code


def test_the_check_code_does_not_depend_on_a_class_that_is_empty() -> None:
    assert check_code("A", DAY, DAY, Source(opening={HORN: NOTHING})) == check_code("A", DAY, DAY, Source())
