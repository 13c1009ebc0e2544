"""The scanner's pages on the server: the same for everybody, strict, and more only to who may know more."""

import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from core.accounts.models import User
from marking import field
from marking.limits import CHECKS, UNKNOWN_CODES
from marking.models import Mark
from marking.payload import to_text
from marking.selectors import Reason
from marking.views.check import LANGUAGES
from marking.words_scanner import said_alone
from tests.marking.test_check import unused_code

pytestmark = pytest.mark.django_db
SCRIPTS = settings.ROOT / "static/js"


def printed(mark: Mark) -> str:
    return "HTTPS://SAIGA.GOV.KZ/M/" + to_text(bytes(mark.payload), bytes(mark.signature))


def test_the_page_is_the_same_for_everybody_and_holds_nothing_of_a_person(client: Client, inspector: User) -> None:
    for language in LANGUAGES:
        address = f"{reverse('marking:scan')}?lang={language.code}"
        stranger = Client().get(address)
        client.force_login(inspector)
        person = client.get(address)

        assert stranger.content == person.content
        assert not person.cookies
        assert "csrfmiddlewaretoken" not in person.content.decode()
        assert person["Content-Security-Policy"].count("'wasm-unsafe-eval'") == 1
        assert "unsafe-inline" not in person["Content-Security-Policy"]
        assert f'action="{reverse("marking:check-form")}"' in person.content.decode()


def test_every_kind_of_verdict_has_words() -> None:
    source = (SCRIPTS / "field/verify.js").read_text(encoding="utf-8")
    statuses = re.search(r"const STATUS = \[(.*?)\]", source, re.DOTALL)
    assert statuses
    kinds = set(re.findall(r'kind: "(\w+)"', source)) | set(re.findall(r'"(\w+)"', statuses[1])) - {"mistyped"}
    kinds |= {"unknown_key", "forged", "code_in_order", "stale"}

    assert kinds - {"mistyped"} <= set(said_alone())
    assert [kind for kind, said in said_alone().items() if said.tone == "ok"] == ["in_order"]


def test_the_worker_names_every_file_that_the_page_loads(client: Client) -> None:
    page = client.get(f"{reverse('marking:scan')}?lang=en").content.decode()
    worker = client.get("/sw.js")
    files = json.loads(re.search(r"const FILES = (.*);", worker.content.decode())[1])  # type: ignore[index]
    shells = json.loads(re.search(r"const SHELLS = (.*);", worker.content.decode())[1])  # type: ignore[index]
    asked = set(re.findall(r'(?:src|href|reader|wasm)"?[=:] ?"(/static/[^"#]+)', page))
    imported = {
        f"/static/{(path.parent / name).resolve().relative_to(settings.ROOT / 'static')}"
        for path in (SCRIPTS / "field").glob("*.js")
        for name in re.findall(r'from "(\.[^"]+)"', path.read_text(encoding="utf-8"))
    }
    styles = re.findall(r'url\("\.\./(vendor/[^"]+)"\)', (settings.ROOT / "static/css/theme.css").read_text())

    assert asked | imported | {f"/static/{name}" for name in styles} <= set(files)
    scanner = [f"/scan/?lang={language.code}" for language in LANGUAGES]
    assert shells == [*scanner, *(f"/field/notebook/?lang={language}" for language in ("kk", "ru", "en"))]
    assert worker["Content-Type"] == "text/javascript"
    assert worker["Cache-Control"] == "no-cache"


def test_the_worker_has_another_version_when_a_page_says_something_else() -> None:
    one, same, other = (
        re.search(r'VERSION = "(\w+)"', field.worker({"/scan/": page}))[1]  # type: ignore[index]
        for page in ("a", "a", "b")
    )

    assert one == same != other


def test_the_manifest_can_be_installed(client: Client) -> None:
    manifest = client.get("/manifest.webmanifest?lang=ru").json()

    assert (manifest["start_url"], manifest["scope"], manifest["lang"]) == ("/scan/?lang=ru", "/", "ru")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}


def test_a_stranger_is_told_what_anybody_may_know(client: Client, marks: list[Mark]) -> None:
    told = client.get("/scan/check.json", {"text": printed(marks[0]), "lang": "en"})

    assert told["Cache-Control"] == "no-store"
    assert told.json()["said"]["title"] == "Genuine and in order"
    assert "Where it is" not in dict(told.json()["facts"])
    assert told.json()["link"] == ""
    assert told.json()["found"] == []


def test_the_phone_has_words_for_all_that_it_remembers() -> None:
    assert {str(reason) for reason in Reason} | {"forged", "unknown"} <= set(said_alone())


def test_who_may_know_more_is_told_more(
    client: Client, marks: list[Mark], inspector: User, customs_officer: User
) -> None:
    ask = {"text": marks[0].code, "lang": "en"}
    client.force_login(inspector)
    told = client.get("/scan/check.json", ask).json()

    assert dict(told["facts"])["Number"] == marks[0].item.number
    assert "Where it is" in dict(told["facts"])
    assert told["link"] == reverse("reports:item", args=[marks[0].item.pk])
    client.force_login(customs_officer)
    assert client.get("/scan/check.json", ask).json()["link"] == ""


def test_guessing_codes_is_stopped_here_too(client: Client, marks: list[Mark], one_window: None) -> None:
    for _time in range(UNKNOWN_CODES):
        client.get("/scan/check.json", {"text": unused_code()})
    told = client.get("/scan/check.json", {"text": unused_code()})

    assert told.status_code == 429
    assert CHECKS // UNKNOWN_CODES == 200
    assert told.json()["said"]["tone"] == "attention"
