"""What can be known of docker-compose.yml and Dockerfile without a Docker engine."""

import json
import re
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
