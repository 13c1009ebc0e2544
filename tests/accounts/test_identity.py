"""How a person outside the register is known."""

import pytest

from core.accounts.bin import check_digit
from core.accounts.identity import is_same_name, problem_of_identity, problem_of_name

BEGINNING = "85031430012"
IIN = f"{BEGINNING}{check_digit(BEGINNING)}"


@pytest.mark.parametrize(
    "text",
    [IIN, f"ЖСН {IIN}", "ЖК № 045871236, ІІМ 12.03.2021", "Passport N12345678", "паспорт РФ 4509 123456", "AB 123456"],
)
def test_an_iin_or_a_number_of_a_document_identifies(text: str) -> None:
    assert problem_of_identity(text) is None


@pytest.mark.parametrize(
    "text", ["", "document x", "№ 1", "passport", "123456789012", "000000", "ID of 12.03.2021", "2021-03-12", "AB 1234"]
)
def test_anything_else_does_not(text: str) -> None:
    assert problem_of_identity(text) is not None


@pytest.mark.parametrize(
    "name", ["Сейітов Д.", "Әбенов Қанат Серікұлы", "Li Wei", "王小明", "O'Neil-Smith, J.", "Ким Со Ён"]
)
def test_a_full_name_is_a_family_name_and_a_given_one(name: str) -> None:
    assert problem_of_name(name) is None


@pytest.mark.parametrize("name", ["", "x", "Aa", "xxxxxxxx", "x x", "xx xx", "Серік", "12 34", "№ 5, -", "А Б"])
def test_anything_else_is_no_name(name: str) -> None:
    assert problem_of_name(name) is not None


def test_a_shorter_name_may_be_of_the_same_person_in_any_order() -> None:
    assert is_same_name("Нұрлан ЖАҚСЫЛЫҚОВ", "Жақсылықов Нұрлан Серікұлы")
    assert not is_same_name("Жақсылықов Асан", "Жақсылықов Нұрлан")
    assert not is_same_name("", "Жақсылықов Нұрлан")
    assert not is_same_name("Жақсылықов", "Жақсылықов Нұрлан")
