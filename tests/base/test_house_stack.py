import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from core.base import stack
from core.base.stack import (
    ROOT,
    CannotRun,
    hold_var,
    keep_bytecode,
    keep_secret,
    own_nothing,
    prepare,
    require_free_port,
    reset,
    start_servers,
    supervised,
)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "var"))
    return tmp_path / "var"


def test_a_second_run_on_the_same_data_is_refused() -> None:
    with hold_var(), pytest.raises(CannotRun, match=f"already runs here, as process {os.getpid()}"), hold_var():
        pass


def test_what_a_killed_run_left_behind_is_waited_for(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hold_var() as (_, lock):
        straggler = subprocess.Popen(["sleep", "60"], pass_fds=[lock])

    monkeypatch.setattr(stack, "EARLIER_RUN_ENDS_WITHIN", 0.3)
    with pytest.raises(CannotRun, match="programs of an earlier run still use"), hold_var():
        pass

    straggler.kill()
    straggler.wait()
    with hold_var() as (held, _):
        assert held == var


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("VAR_DIR", str(tmp_path / "file" / "var"))

    with pytest.raises(CannotRun, match="file/var cannot be written"), hold_var():
        pass


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(CannotRun, match=f"port {port} cannot be used .* choose another with PORT="):
            require_free_port("127.0.0.1", port)

    require_free_port("127.0.0.1", port)


def test_the_secret_is_made_once_and_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret-key"

    secret = keep_secret(path)

    assert len(secret) >= 50
    assert keep_secret(path) == secret
    assert path.stat().st_mode & 0o777 == 0o600


def test_given_servers_are_used_instead_of_embedded_ones(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://far.example/registry")
    monkeypatch.setenv("REDIS_URL", "redis://far.example/0")

    with hold_var(), supervised() as supervisor:
        start_servers(supervisor, var)

        assert supervisor.children == []
        assert not (var / "postgres").exists()


def test_the_embedded_database_is_used_by_a_role_that_owns_nothing(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of an earlier version, where the owner did everything and nothing has to be prepared anew."""
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "RUNTIME_DATABASE_URL"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with hold_var() as (_, lock), supervised(lock) as supervisor:
        start_servers(supervisor, var)
        with psycopg.connect(os.environ["DATABASE_URL"]) as owner:
            owner.execute("CREATE TABLE django_migrations (id integer); CREATE TABLE posting AS SELECT 1 AS mass")
        own_nothing(var, is_embedded=False)
        assert "//saiga@" in os.environ["DATABASE_URL"]
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name)
    (var / "prepared").write_text(f"True {stack._digest_files()}")
    (var / "sign-ins.txt").write_text("as before")
    monkeypatch.setenv("DEMO", "yes")

    with hold_var() as (_, lock), supervised(lock) as supervisor:
        assert prepare(supervisor, var) == "as before"

        assert json.loads((var / "servers.json").read_text())["DATABASE_URL"] == os.environ["DATABASE_URL"]
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            assert connection.info.user == "saiga_app"
            connection.execute("UPDATE posting SET mass = 2")
            for statement in ("ALTER TABLE posting DISABLE TRIGGER ALL", "SET session_replication_role = replica"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)


def test_a_given_database_is_used_by_the_role_that_is_given(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://owner@far.example/registry")
    monkeypatch.setenv("RUNTIME_DATABASE_URL", "postgres://app@far.example/registry")
    var.mkdir()

    own_nothing(var, is_embedded=False)

    assert os.environ["DATABASE_URL"] == "postgres://app@far.example/registry"
    assert "RUNTIME_DATABASE_URL" not in os.environ
    assert "owner" not in (var / "servers.json").read_text()


def test_a_command_alone_works_as_the_role_that_owns_nothing(var: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    connect = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL'], autocommit=True); "

    def tell(code: str) -> str:
        command = [sys.executable, "-m", "core.base.stack", "exec", sys.executable, "-c", connect + code]
        return subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout.splitlines()[0]

    assert tell("c.execute('CREATE TABLE django_migrations (id integer)'); print(c.info.user)") == "saiga"
    assert tell("print(c.info.user)") == "saiga_app"


def test_reset_forgets_everything(var: Path) -> None:
    (var / "documents").mkdir(parents=True)
    (var / "documents" / "photo").touch()

    reset()

    assert not var.exists()


def test_a_command_finds_the_servers_of_the_running_system(var: Path) -> None:
    """`make shell` beside `make run` works on the same database, and alone on one of its own."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "core.base.stack", "exec"]
    ask = [sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'], flush=True); input()"]
    first = subprocess.Popen(
        [*command, *ask], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout
    url = first.stdout.readline()

    second = subprocess.run(
        [*command, *ask], cwd=ROOT, env=environment, input="\n", stdout=subprocess.PIPE, text=True, check=True
    )
    said, _ = first.communicate("\n", timeout=60)

    assert second.stdout == url
    assert url.strip() != os.environ["DATABASE_URL"]
    assert "stopping" in said
    assert first.returncode == 0


def test_an_interrupted_start_leaves_nothing_running(var: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    command = [sys.executable, "-m", "core.base.stack", "exec", "sh", "-c", "echo up; exec sleep 60"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "up\n"

    process.send_signal(signal.SIGTERM)

    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopping" in said
    with hold_var():
        assert not (var / "postgres" / "data" / "postmaster.pid").exists()


def test_bytecode_that_may_not_lie_beside_the_sources_lies_with_the_data(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", "")

    keep_bytecode(var)
    subprocess.run([sys.executable, "-c", "import core.base.clock"], check=True, cwd=ROOT)

    assert list(var.glob("bytecode/**/clock.*.pyc"))
