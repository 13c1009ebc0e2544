import gettext
from pathlib import Path

import polib
import pytest

from core.base import catalogues, messages
from core.base.catalogues import compile_catalogues
from core.base.messages import extract_messages, find_faults, update_catalogue

HERD = polib.POEntry(msgid="%(count)d horn", msgid_plural="%(count)d horns", flags=["python-format"])
WEIGHT = polib.POEntry(msgid="Weight %(grams)s g", flags=["python-format"])
STORE = polib.POEntry(msgid="Store", occurrences=[("templates/base.html", "")])


@pytest.fixture(autouse=True)
def locales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogues, "LOCALES", tmp_path)
    return tmp_path


def extracted(*entries: polib.POEntry) -> polib.POFile:
    file = polib.POFile()
    file.extend(entries)
    return file


def translate(language: str, **texts: str) -> None:
    path = messages.catalogue_path(language)
    catalogue = polib.pofile(str(path))
    for entry in catalogue:
        if entry.msgid in texts:
            entry.msgstr = texts[entry.msgid]
    catalogue.save(str(path))


def faults(language: str, *entries: polib.POEntry) -> list[str]:
    return list(find_faults(language, extracted(*entries)))


def test_english_says_what_the_code_says() -> None:
    update_catalogue("en", extracted(STORE, HERD, WEIGHT))

    assert faults("en", STORE, HERD, WEIGHT) == []


def test_a_new_message_waits_for_its_translation() -> None:
    update_catalogue("kk", extracted(STORE))

    assert faults("kk", STORE) == ["kk: not translated: 'Store'"]
    translate("kk", Store="Қойма")
    assert faults("kk", STORE) == []


def test_translations_stay_when_the_catalogue_is_brought_in_step() -> None:
    update_catalogue("ru", extracted(STORE))
    translate("ru", Store="Склад")
    before = messages.catalogue_path("ru").read_text()

    update_catalogue("ru", extracted(STORE, WEIGHT))
    update_catalogue("ru", extracted(STORE))

    assert messages.catalogue_path("ru").read_text() == before


def test_missing_and_gone_messages_are_told_apart() -> None:
    update_catalogue("en", extracted(STORE))

    assert faults("en", WEIGHT) == [
        "en: no longer in the code: 'Store'",
        "en: missing: 'Weight %(grams)s g'",
    ]


def test_a_fuzzy_message_is_a_fault() -> None:
    update_catalogue("en", extracted(STORE))
    path = messages.catalogue_path("en")
    path.write_text(path.read_text().replace("#: templates", "#, fuzzy\n#: templates"))

    assert faults("en", STORE) == ["en: fuzzy: 'Store'"]


def test_placeholders_must_be_those_of_the_source() -> None:
    update_catalogue("ru", extracted(WEIGHT))
    path = messages.catalogue_path("ru")
    path.write_text(
        path.read_text().replace('msgstr ""\n', 'msgstr "Масса %(gramms)s г"\n').replace('"Масса', '"Масса', 1)
    )
    catalogue = polib.pofile(str(path))
    catalogue[0].msgstr = "Масса %(gramms)s г"
    catalogue.save(str(path))

    assert faults("ru", WEIGHT) == ["ru: other placeholders in 'Масса %(gramms)s г': 'Weight %(grams)s g'"]


def test_russian_needs_three_plural_forms() -> None:
    update_catalogue("ru", extracted(HERD))
    path = messages.catalogue_path("ru")
    catalogue = polib.pofile(str(path))
    catalogue[0].msgstr_plural = {0: "%(count)d рог", 1: "%(count)d рога"}
    catalogue.save(str(path))
    assert faults("ru", HERD) == ["ru: not translated: '%(count)d horn'"]

    catalogue[0].msgstr_plural[2] = "%(count)d рогов"
    catalogue.save(str(path))
    assert faults("ru", HERD) == []


def test_compiled_catalogues_speak_and_are_made_anew_only_when_needed() -> None:
    update_catalogue("kk", extracted(STORE))
    translate("kk", Store="Қойма")

    compile_catalogues()

    compiled = messages.catalogue_path("kk").with_suffix(".mo")
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Store") == "Қойма"
    made_at = compiled.stat().st_mtime_ns
    compile_catalogues()
    assert compiled.stat().st_mtime_ns == made_at
    assert list(compiled.parent.glob("tmp*")) == []


def test_extraction_finds_code_and_templates_and_names_files_only() -> None:
    found = {entry.msgid: entry for entry in extract_messages()}

    assert ("core/base/errors.py", "") in found["You are not allowed to do this."].occurrences
    assert any(path.startswith("templates/") for entry in found.values() for path, _ in entry.occurrences)
    assert not any(path.startswith("tests/") for entry in found.values() for path, _ in entry.occurrences)
