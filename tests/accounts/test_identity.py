"""How a person outside the register is known."""

import pytest

from core.accounts.bin import check_digit
from core.accounts.identity import problem_of_identity

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
