"""How a person outside the register is known."""

import pytest

from core.accounts.bin import check_digit
from core.accounts.identity import is_same_name, names_person, problem_of_identity, problem_of_name

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


def test_a_paper_names_a_person_by_family_name_and_given_name() -> None:
    paper = "Power of attorney of Жақсылықов Нұрлан, № 17, 03.11.2025, notary Ахметов Д."
    assert names_person(paper, "Жақсылықов Нұрлан Серікұлы")
    assert not names_person(paper, "Жақсылықов Асан")
    assert not names_person("", "")


@pytest.mark.parametrize(
    ("paper", "name"),
    [
        ("доверенность от Иванова Ивана, № 17", "Иванов Иван Иванович"),
        ("Ивановтан Иванның атынан сенімхат", "Иванов Иван"),
        ("доверенность Горькой Марии, № 3", "Горькая Мария"),
        ("нотариус Ахметов Д., от Ковалёвой Анны", "Ковалева Анна"),
        ("王小明, № 17, 03.11.2025", "王小明"),
    ],
)
def test_a_paper_names_a_person_in_any_case_and_script(paper: str, name: str) -> None:
    assert names_person(paper, name)


@pytest.mark.parametrize(
    ("paper", "name"),
    [
        ("Power of attorney of Нұрлан Серікұлы Ахметов, № 17", "Жақсылықов Нұрлан Серікұлы"),
        ("доверенность от Иванова Петра", "Иванов Иван"),
        ("доверенность от Иваненко Ивана", "Иванов Иван"),
        ("王小, № 17", "王小明"),
    ],
)
def test_a_paper_of_another_family_or_given_name_does_not(paper: str, name: str) -> None:
    assert not names_person(paper, name)
