"""What counts as a reason."""

import pytest

from core.base.errors import BadInput
from core.base.reasons import is_reason, require_reason


@pytest.mark.parametrize(
    "text", ["The scale stood askew", "нет этикетки", "Заттаңба жоқ еді", "Protocol № 118", "два рога сломаны"]
)
def test_words_that_say_something_are_one(text: str) -> None:
    assert require_reason(f"  {text} ") == text


@pytest.mark.parametrize(
    "text", ["", " ", "xxxxxxxxxx", "aaaaaaaaaa", "..........", "xx xx xx xx xx", "1234567890 12345", "Miscounted",
             "abcdef abcdef", "a b c d e", "... no ..."],
)  # fmt: skip
def test_a_hand_that_rests_on_a_key_is_none(text: str) -> None:
    assert not is_reason(text)
    with pytest.raises(BadInput) as refusal:
        require_reason(text, "circumstances")
    assert set(refusal.value.fields) == {"circumstances"}
