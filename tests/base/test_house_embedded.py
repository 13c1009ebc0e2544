import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from core.base import embedded
from core.base.embedded import EmbeddedError, choose_guise, make_socket_folder, start_postgres, start_valkey
from core.base.supervisor import Supervisor

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root must hide from PostgreSQL that it is root")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every account can pass through, as pytest's own is not."""
    with TemporaryDirectory(prefix="saiga-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_the_socket_lies_in_a_closed_folder_beside_the_data(folder: Path) -> None:
    sockets = make_socket_folder(folder, "sockets/one.sock")

    assert sockets == folder / "sockets"
    assert sockets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["x" * 100, "with space", "сайга"])
def test_the_socket_moves_to_a_short_plain_address(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()

    sockets = make_socket_folder(home, "sockets/one.sock")

    assert sockets.parent == Path("/tmp")  # noqa: S108
    assert len(bytes(sockets)) < 60
    assert sockets == make_socket_folder(home, "sockets/one.sock")
    sockets.rmdir()


def test_somebody_elses_folder_is_not_used_for_the_socket(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 100)
    home.mkdir()
    sockets = make_socket_folder(home, "sockets/one.sock")
    sockets.rmdir()
    sockets.symlink_to(tmp_path)

    with pytest.raises(EmbeddedError, match="belongs to somebody else"):
        make_socket_folder(home, "sockets/one.sock")

    sockets.unlink()


@as_root
@pytest.mark.parametrize("mode", [0o711, 0o700])
def test_root_runs_the_programs_as_another_also_in_a_closed_folder(
    folder: Path, mode: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    reachable = folder / "reachable"
    reachable.mkdir(mode=0o755)
    monkeypatch.setattr(embedded, "REACHABLE_HOME", reachable)
    home = folder / "project" / "postgres"
    home.mkdir(parents=True)
    home.parent.chmod(mode)

    guise = choose_guise(home)

    assert embedded._run(guise, "id", "-u").stdout.strip() != "0"
    assert guise.prefix or guise.uid


@as_root
def test_root_copies_the_programs_where_name_spaces_are_forbidden(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = folder / "closed" / "postgres"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    reachable = folder / "reachable"
    reachable.mkdir(mode=0o755)
    monkeypatch.setattr(embedded, "REACHABLE_HOME", reachable)
    works = embedded._works
    monkeypatch.setattr(embedded, "_works", lambda guise: not guise.prefix and works(guise))
    supervisor = Supervisor(print)

    try:
        url = start_postgres(supervisor, home, log=folder / "log", throw_away=True)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    finally:
        supervisor.stop()

    assert home.is_symlink()
    assert home.resolve().is_relative_to(reachable)
    embedded.remove_home(home)
    assert list(reachable.iterdir()) == []
    assert not home.is_symlink()


def test_killed_servers_start_again_with_every_committed_row(folder: Path) -> None:
    first, second = Supervisor(print), Supervisor(print)
    try:
        database, queue = start_both(first, folder)
        with psycopg.connect(database) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        redis.Redis.from_url(queue).rpush("queue", "task")
        for child in first.children:
            assert child.process
            os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            child.process = None

        database, queue = start_both(second, folder)

        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert redis.Redis.from_url(queue).lrange("queue", 0, -1) == [b"task"]
    finally:
        first.stop()
        second.stop()


def test_a_number_taken_over_by_another_program_does_not_keep_the_database_from_starting(folder: Path) -> None:
    """PostgreSQL would believe that the server in postmaster.pid still runs: the number lives, as its own user."""
    other = subprocess.Popen(["sleep", "60"])
    first, second = Supervisor(print), Supervisor(print)
    try:
        start_postgres(first, folder / "postgres", log=folder / "log")
        first.stop()
        (folder / "postgres" / "data" / "postmaster.pid").write_text(f"{other.pid}\n{folder}\n1\n5432\n/\n\n1 1\n")

        start_postgres(second, folder / "postgres", log=folder / "log")
    finally:
        other.kill()
        other.wait()
        first.stop()
        second.stop()


def start_both(supervisor: Supervisor, folder: Path) -> tuple[str, str]:
    return (
        start_postgres(supervisor, folder / "postgres", log=folder / "postgres.log"),
        start_valkey(supervisor, folder / "valkey", log=folder / "valkey.log"),
    )
