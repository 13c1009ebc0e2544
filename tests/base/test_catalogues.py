"""What the catalogues say: whole, in true letters, with the words of Django and its companions among them."""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date

import polib
import pytest
from django import forms
from django.contrib.auth import password_validation
from django.utils import translation
from django.utils.formats import date_format, number_format

from core.base.messages import LANGUAGES, PLACEHOLDER, catalogue_path

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюя"
LETTERS = {"ru": RUSSIAN + "ё", "kk": RUSSIAN + "ё" + "әғқңөұүһі"}
MARKUP = re.compile(rf"{PLACEHOLDER.pattern}|\{{\w+\}}|<[^>]+>|&\w+;")
WORD = re.compile(r"[^\W\d_]+")


def texts_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def entries(language: str) -> Iterator[tuple[polib.POEntry, str]]:
    for entry in polib.pofile(str(catalogue_path(language))):
        for text in texts_of(entry):
            yield entry, text


def strange_words(text: str, language: str) -> list[str]:
    """Words that mix two scripts, or use a Cyrillic letter that the language does not have."""
    strange = []
    for word in WORD.findall(MARKUP.sub(" ", text)):
        scripts = {unicodedata.name(letter, "?").split()[0] for letter in word}
        if "CYRILLIC" in scripts and (scripts != {"CYRILLIC"} or set(word.lower()) - set(LETTERS[language])):
            strange.append(word)
    return strange


@pytest.mark.parametrize("word", ["Kиік", "қoйма", "Kазақстан", "мүйi3", "cайга", "қөймa", "ҝойма"])
def test_a_look_alike_letter_is_noticed(word: str) -> None:
    assert strange_words(word, "kk") or strange_words(word, "ru")


@pytest.mark.parametrize("word", ["Мүйіз", "ҚАБЫЛДАУ", "PDF-файл", "%(count)d дана", "XLSX, есептеуге"])
def test_a_true_word_is_left_in_peace(word: str) -> None:
    assert strange_words(word, "kk") == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_word_mixes_scripts_or_borrows_a_letter(language: str) -> None:
    found = {text: strange for _entry, text in entries(language) if (strange := strange_words(text, language))}

    assert found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_said_and_nothing_is_in_doubt(language: str) -> None:
    catalogue = polib.pofile(str(catalogue_path(language)))

    assert [entry.msgid for entry in catalogue if not all(texts_of(entry))] == []
    assert [entry.msgid for entry in catalogue if entry.fuzzy or entry.obsolete] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_named_gaps_in_braces_stay(language: str) -> None:
    gaps = re.compile(r"\{\w*\}")

    assert [
        entry.msgid
        for entry, text in entries(language)
        if sorted(gaps.findall(text)) != sorted(gaps.findall(entry.msgid))
    ] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_spaces_at_the_ends_are_those_of_the_source(language: str) -> None:
    def ends(text: str) -> tuple[str, str]:
        return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]

    assert [entry.msgid for entry, text in entries(language) if ends(text) != ends(entry.msgid)] == []


def test_russian_is_written_without_yo() -> None:
    assert [text for _entry, text in entries("ru") if "ё" in text.lower()] == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_a_form_of_django_refuses_is_said_in_the_readers_language(language: str) -> None:
    fields = [
        forms.CharField,
        forms.IntegerField,
        forms.DecimalField,
        forms.DateField,
        forms.DateTimeField,
        forms.ChoiceField,
        forms.MultipleChoiceField,
        forms.ModelChoiceField,
        forms.ModelMultipleChoiceField,
        forms.FileField,
        forms.ImageField,
        forms.EmailField,
        forms.UUIDField,
        forms.URLField,
    ]
    with translation.override(language):
        said = [str(text) for field in fields for text in getattr(field, "default_error_messages", {}).values()]
        said += [str(text) for text in forms.Field.default_error_messages.values()]
        said += password_validation.password_validators_help_texts()

    assert [text for text in said if text and not re.search(r"[а-яәғқңөұүһі]{3}", text)] == []


@pytest.mark.parametrize(
    ("language", "written"),
    [("kk", "2026 ж. 23 қараша"), ("ru", "23 ноября 2026 г."), ("en", "23 November 2026")],
)
def test_a_day_is_written_as_the_language_writes_it(language: str, written: str) -> None:
    with translation.override(language):
        assert date_format(date(2026, 11, 23)) == written


@pytest.mark.parametrize(("language", "written"), [("kk", "1234,5"), ("ru", "1234,5"), ("en", "1234.5")])
def test_a_number_has_the_comma_of_the_language(language: str, written: str) -> None:
    with translation.override(language):
        assert number_format(1234.5).replace("\u00a0", "") == written
