"""What can be known of docker-compose.yml and Dockerfile without a Docker engine."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.base.stack import BEAT, ROOT, WEB, WORKER

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SETTINGS = (ROOT / "config" / "settings.py").read_text()
ONE_OFF = {"prepare"}


def test_it_has_every_part() -> None:
    assert set(SERVICES) == {"proxy", "prepare", "web", "worker", "beat", "postgres", "valkey"}


@pytest.mark.parametrize(("service", "command"), [("web", WEB), ("worker", WORKER), ("beat", BEAT)])
def test_commands_are_those_of_make_run(service: str, command: str) -> None:
    assert SERVICES[service]["command"] == command


def test_the_image_runs_the_web_server_by_itself() -> None:
    command = re.search(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)

    assert command
    assert json.loads(command[1]) == WEB.split()


def test_web_worker_and_beat_are_one_image() -> None:
    assert len({SERVICES[name]["image"] for name in ("prepare", "web", "worker", "beat")}) == 1


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_OFF))
def test_each_part_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_proxy_can_be_reached_from_outside() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_what_is_named_is_declared() -> None:
    volumes = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    secrets = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}

    assert {volume for volume in volumes if not volume.startswith(".")} == set(COMPOSE["volumes"])
    assert secrets == set(COMPOSE["secrets"])
    assert all((ROOT / volume).exists() for volume in volumes if volume.startswith("."))
    assert all(set(service.get("depends_on", ())) <= set(SERVICES) for service in SERVICES.values())


def test_secrets_are_files_and_never_values() -> None:
    maker = (ROOT / "deploy" / "make-secrets").read_text()

    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"deploy/secrets/{name}"}
        assert f"> {name}" in maker
    for service in SERVICES.values():
        for key in service.get("environment", {}):
            assert not re.search(r"PASSWORD$|SECRET_KEY$|DATABASE_URL$|ENCRYPTION_KEY$", key)


def test_only_what_prepares_the_database_works_as_its_owner() -> None:
    assert [name for name, service in SERVICES.items() if "database_owner_url" in service.get("secrets", [])] == [
        "prepare"
    ]
    prepare = SERVICES["prepare"]["environment"]
    assert prepare["DATABASE_URL_FILE"] == "/run/secrets/database_owner_url"
    assert prepare["RUNTIME_DATABASE_URL_FILE"] == SERVICES["web"]["environment"]["DATABASE_URL_FILE"]
    assert set(SERVICES["prepare"]["secrets"]) == {*SERVICES["web"]["secrets"], "database_owner_url"}


def test_secrets_are_made_once_and_the_owner_is_another(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)

    assert made["database_owner_url"] == f"postgres://saiga:{made['database_password']}@postgres:5432/saiga"
    assert re.fullmatch(r"postgres://saiga_app:[\w-]{48}@postgres:5432/saiga", made["database_url"])
    assert made["database_password"] not in made["database_url"]
    assert make_secrets(tmp_path) == made


def test_the_address_of_an_earlier_version_becomes_the_owners(tmp_path: Path) -> None:
    earlier = "postgres://saiga:secret@postgres:5432/saiga"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "database_password").write_text("secret")
    (tmp_path / "secrets" / "database_url").write_text(earlier)
    (tmp_path / "secrets" / "database_url").chmod(0o444)

    made = make_secrets(tmp_path)

    assert (made["database_password"], made["database_owner_url"]) == ("secret", earlier)
    assert made["database_url"].startswith("postgres://saiga_app:")
    assert make_secrets(tmp_path) == made


def make_secrets(folder: Path) -> dict[str, str]:
    """What deploy/make-secrets leaves there, run from a copy."""
    maker = shutil.copy(ROOT / "deploy" / "make-secrets", folder)
    subprocess.run([maker], check=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_settings_read_what_is_set() -> None:
    known_to_others = {"GRANIAN_WORKERS", "CELERY_SKIP_CHECKS"}

    for key in SERVICES["web"]["environment"].keys() | SERVICES["worker"]["environment"].keys():
        assert key in known_to_others or f'"{key.removesuffix("_FILE")}"' in SETTINGS, key


def test_the_image_runs_as_nobody_in_particular() -> None:
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]

    assert re.search(r"^USER registry$", last_stage, re.MULTILINE)
    assert "--require-hashes" in DOCKERFILE


def test_the_image_holds_every_room() -> None:
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks", "tools"}

    assert rooms <= let_in
    assert {"templates", "static", "locale", "requirements", "manage.py"} <= let_in
