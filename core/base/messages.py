"""The message catalogues: what is said in Kazakh, Russian and English, and to the public in Chinese.

The .po files are the source; `core.base.catalogues` makes the .mo files that the system reads.
"""

import io
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import polib

from core.base import catalogues

LANGUAGES = ("kk", "ru", "en")
SOURCE_LANGUAGE = "en"
PLURAL_FORMS = {
    "kk": "nplurals=2; plural=(n != 1);",
    "ru": "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);",
    "en": "nplurals=2; plural=(n != 1);",
    "zh_Hans": "nplurals=1; plural=0;",
}
# A language of the public check alone: the messages of these files and folders.
PUBLIC_LANGUAGE = "zh_Hans"
PUBLIC_SOURCES = (
    "marking/forms_once.py",
    "marking/forms_tips.py",
    "marking/models/tips.py",
    "marking/scanning.py",
    "marking/verdicts.py",
    "marking/views/scanner.py",
    "marking/words.py",
    "marking/words_scanner.py",
    "templates/components/bar_brand.html",
    "templates/components/languages.html",
    "templates/components/theme_switch.html",
    "templates/components/verdict.html",
    "templates/django/forms/",
    "templates/marking/public/",
    "templates/public.html",
)
PUBLIC_MESSAGES = ("%(amount)s g",)
FOLDERS_WITHOUT_MESSAGES = ("var/*", "tests/*", "benchmarks/*", "docs/*", "static/*", "tools/*")

PLACEHOLDER = re.compile(r"%\(\w+\)[#0 +-]*[\d.]*[diouxXeEfFgGcrsa]|%%|%[sdfr]")


def catalogue_path(language: str) -> Path:
    return catalogues.LOCALES / language / "LC_MESSAGES" / "django.po"


def extract_messages() -> polib.POFile:
    """Every message in code and templates, sorted, with the files (not the lines) where it stands.

    Needs Django set up and GNU xgettext; raises CommandError without it.
    """
    from django.core.management import call_command
    from django.core.management.commands import makemessages
    from django.test.utils import override_settings

    found: list[polib.POFile] = []

    class Extract(makemessages.Command):
        def build_potfiles(self) -> list[str]:
            paths: list[str] = super().build_potfiles()
            found.extend(polib.pofile(path) for path in dict.fromkeys(paths))
            return paths

        def write_po_file(self, potfile: str, locale: str) -> None:
            """The template is all we want."""

    with TemporaryDirectory() as folder, redirect_stdout(io.StringIO()):
        (Path(folder) / SOURCE_LANGUAGE).mkdir()
        with override_settings(LOCALE_PATHS=[folder]):
            call_command(
                Extract(),
                locale=[SOURCE_LANGUAGE],
                ignore_patterns=list(FOLDERS_WITHOUT_MESSAGES),
                add_location="file",
                no_wrap=True,
                verbosity=0,
            )
    messages = polib.POFile()
    for entry in sorted((entry for file in found for entry in file), key=_sort_key):
        entry.occurrences = sorted({(path.removeprefix("./"), "") for path, _ in entry.occurrences})
        messages.append(entry)
    return messages


def messages_in(language: str, messages: polib.POFile) -> polib.POFile:
    """Those of the messages that are said in this language."""
    if language != PUBLIC_LANGUAGE:
        return messages
    said = polib.POFile()
    said.extend(
        message
        for message in messages
        if message.msgid in PUBLIC_MESSAGES or any(path.startswith(PUBLIC_SOURCES) for path, _ in message.occurrences)
    )
    return said


def update_catalogue(language: str, messages: polib.POFile) -> None:
    """Write the catalogue anew: new messages empty (in English: as they are), gone ones removed."""
    path = catalogue_path(language)
    known = {_key(entry): entry for entry in polib.pofile(str(path))} if path.exists() else {}
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURAL_FORMS[language],
    }
    for message in messages:
        catalogue.append(_translated(message, known.get(_key(message)), language))
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))


def find_faults(language: str, messages: polib.POFile) -> Iterator[str]:
    """What is wrong with a catalogue: messages missing, gone, empty or fuzzy, or with other placeholders."""
    path = catalogue_path(language)
    if not path.exists():
        yield f"{language}: there is no catalogue"
        return
    catalogue = polib.pofile(str(path))
    known = {_key(entry): entry for entry in catalogue if not entry.obsolete}
    wanted = {_key(entry): entry for entry in messages}
    for entry in catalogue.obsolete_entries():
        yield f"{language}: obsolete: {entry.msgid!r}"
    for key in known.keys() - wanted.keys():
        yield f"{language}: no longer in the code: {known[key].msgid!r}"
    for key, message in wanted.items():
        if key not in known:
            yield f"{language}: missing: {message.msgid!r}"
        else:
            yield from (f"{language}: {fault}: {message.msgid!r}" for fault in _entry_faults(known[key], language))


def _entry_faults(entry: polib.POEntry, language: str) -> Iterator[str]:
    forms = int(PLURAL_FORMS[language].split("nplurals=")[1][0])
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    if entry.fuzzy:
        yield "fuzzy"
    if (entry.msgid_plural and len(texts) != forms) or not all(text.strip() for text in texts):
        yield "not translated"
        return
    sources = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
    allowed = [sorted(PLACEHOLDER.findall(source)) for source in sources]
    for text in texts:
        if sorted(PLACEHOLDER.findall(text)) not in allowed:
            yield f"other placeholders in {text!r}"
        if (text[0] == "\n", text[-1] == "\n") != (entry.msgid[0] == "\n", entry.msgid[-1] == "\n"):
            yield f"other line ends in {text!r}"


def _translated(message: polib.POEntry, known: polib.POEntry | None, language: str) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.msgid,
        msgid_plural=message.msgid_plural,
        msgctxt=message.msgctxt,
        comment=message.comment,
        occurrences=message.occurrences,
        flags=[flag for flag in message.flags if flag != "fuzzy"],
    )
    if known and known.msgid_plural == message.msgid_plural:
        entry.msgstr, entry.msgstr_plural = known.msgstr, known.msgstr_plural
        entry.flags += [flag for flag in known.flags if flag == "fuzzy"]
    elif message.msgid_plural:
        source = {0: message.msgid, 1: message.msgid_plural}
        forms = int(PLURAL_FORMS[language].split("nplurals=")[1][0])
        entry.msgstr_plural = source if language == SOURCE_LANGUAGE else dict.fromkeys(range(forms), "")
    elif language == SOURCE_LANGUAGE:
        entry.msgstr = message.msgid
    return entry


def _key(entry: polib.POEntry) -> tuple[str, str]:
    return (entry.msgctxt or "", entry.msgid)


def _sort_key(entry: polib.POEntry) -> tuple[str, str, str]:
    return (min((path for path, _ in entry.occurrences), default=""), *_key(entry))
