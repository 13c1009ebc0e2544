"""The whole system on one machine: servers, web, worker and beat under one supervisor.

    python -m core.base.stack run               everything, until Ctrl-C
    python -m core.base.stack exec COMMAND...   one command with the servers at hand
    python -m core.base.stack reset             forget all data

DATABASE_URL and REDIS_URL replace the embedded servers. The owner of the embedded database only prepares it: everything
else works as a role that owns nothing; so it is with DATABASE_URL where RUNTIME_DATABASE_URL names that role. All that
is kept lies under VAR_DIR (default: var/).
"""

import argparse
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from core.base import embedded
from core.base.catalogues import compile_catalogues
from core.base.runtime_role import RoleRefused
from core.base.supervisor import Child, NotReady, Supervisor

ROOT = Path(__file__).resolve().parents[2]

# docker-compose.yml runs the same; what differs between machines comes from the environment.
WEB = "python -m granian --interface wsgi --blocking-threads 1 --no-ws config.wsgi:application"
WORKER = "python -m celery --quiet --app config worker --loglevel WARNING --without-gossip --without-mingle"
BEAT = "python -m celery --quiet --app config beat --loglevel WARNING --pidfile="

# Celery warns who runs it as root, which on a person's own machine is no news.
AS_ROOT = "ignore:You're running the worker with superuser privileges"

READY_WITHIN = 120.0  # seconds
EARLIER_RUN_ENDS_WITHIN = 20.0  # seconds

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class CannotRun(Exception):
    """The system cannot run here and now; the message says why."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m core.base.stack")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("run")
    acts.add_parser("reset")
    acts.add_parser("exec").add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()

    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        match given.act:
            case "run":
                run()
            case "reset":
                reset()
            case _:
                return execute(given.command)
    except KeyboardInterrupt:
        return 130
    except (CannotRun, NotReady, RoleRefused, embedded.EmbeddedError) as error:
        say(str(error))
        return 1
    return 0


def run() -> None:
    """Run everything until interrupted. Raises CannotRun, NotReady, EmbeddedError."""
    started = time.monotonic()
    host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
    with hold_var() as (var, lock), supervised(lock) as supervisor:
        require_free_port(host, port)
        say("starting")
        keep_bytecode(var)
        sign_ins = prepare(supervisor, var)
        address = f"http://{_reachable(host)}:{port}"
        web = {
            "GRANIAN_HOST": host,
            "GRANIAN_PORT": str(port),
            "GRANIAN_WORKERS": os.environ.get("WEB_WORKERS", "2"),
            "GRANIAN_LOG_LEVEL": "warning",
        }
        say("starting the web server and the worker")
        celery = {"CELERY_SKIP_CHECKS": "yes", "PYTHONWARNINGS": AS_ROOT}
        supervisor.start(
            Child("worker", _argv(WORKER), ROOT, celery), Child("web", _argv(WEB), ROOT, web, patience=10.0)
        )
        supervisor.wait_until(lambda: is_ready(address), within=READY_WITHIN, name="the system")
        supervisor.start(Child("beat", _argv(BEAT), ROOT, celery))
        say(f"ready in {time.monotonic() - started:.1f} s: {address}/")
        say(f"{sign_ins}Ctrl-C stops everything; the data stays.")
        with suppress(KeyboardInterrupt):
            supervisor.tend_forever()


def prepare(supervisor: Supervisor, var: Path) -> str:
    """Start the servers and bring catalogues, static files and database up to date; return the demo sign-ins.

    What is started afterwards owns nothing in the database. Our own is left as it is when no file has changed since it
    was last prepared: that saves seconds.
    """
    sign_ins, prepared = var / "sign-ins.txt", var / "prepared"
    demo = os.environ.get("DEMO", "yes") != "no"
    state = f"{demo} {_digest_files()}"
    is_embedded = "DATABASE_URL" not in os.environ
    if is_embedded:
        os.environ.pop("RUNTIME_DATABASE_URL", None)  # that of another database
        if not (var / "postgres").exists():
            say("making a PostgreSQL of its own")
    else:
        sign_ins.unlink(missing_ok=True)  # these may tell of another database
        prepared.unlink(missing_ok=True)
    start_servers(supervisor, var)
    compile_catalogues()
    if not prepared.exists() or prepared.read_text() != state:
        command = [sys.executable, "manage.py", "prepare", "--sign-ins", str(sign_ins)]
        if supervisor.run(
            Child("prepare", [*command, *([] if demo else ["--no-demo"])], ROOT, {"PYTHONUNBUFFERED": "1"})
        ):
            raise CannotRun("the database could not be prepared")
        prepared.write_text(state)
    own_nothing(var, is_embedded=is_embedded)
    return sign_ins.read_text()


def keep_bytecode(var: Path) -> None:
    """Where Python must leave no bytecode beside the sources, it stays with the data: without any, each of the seven
    processes would compile Django for itself, at every start."""
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        os.environ["PYTHONPYCACHEPREFIX"] = os.environ.get("PYTHONPYCACHEPREFIX") or str(var / "bytecode")
        os.environ["PYTHONDONTWRITEBYTECODE"] = ""


def execute(command: list[str]) -> int:
    """Run one command with the servers of the running system, or with servers started for it alone."""
    signal.signal(signal.SIGINT, lambda number, frame: None)  # Ctrl-C is the command's own
    if running := _running_servers(var_folder()):
        os.environ.update(running)
        return subprocess.run(command, check=False).returncode
    with hold_var() as (var, lock), supervised(lock) as supervisor:
        is_embedded = "DATABASE_URL" not in os.environ
        start_servers(supervisor, var)
        if is_embedded:
            own_nothing(var, is_embedded=True)
        return subprocess.run(command, check=False).returncode


def reset() -> None:
    """Forget all data: the databases, the documents, the secret key."""
    with hold_var() as (var, _):
        embedded.remove_home(var / "postgres")
        shutil.rmtree(var)
    say(f"{var} is removed: the next start begins anew")


def start_servers(supervisor: Supervisor, var: Path, *, throw_away: bool = False) -> None:
    """Start what is not given, and put its address, SECRET_KEY and VAR_DIR into the environment."""
    logs = var / "log"
    logs.mkdir(parents=True, exist_ok=True)
    given = os.environ
    if "DATABASE_URL" not in given:
        given["DATABASE_URL"] = embedded.start_postgres(
            supervisor, var / "postgres", log=logs / "postgres.log", throw_away=throw_away
        )
    if "REDIS_URL" not in given:
        given["REDIS_URL"] = embedded.start_valkey(
            supervisor, var / "valkey", log=logs / "valkey.log", throw_away=throw_away
        )
    if "SECRET_KEY" not in given and "SECRET_KEY_FILE" not in given:
        given["SECRET_KEY"] = keep_secret(var / "secret-key")
    given["VAR_DIR"] = str(var)
    use_database(given["DATABASE_URL"], var)


def own_nothing(var: Path, *, is_embedded: bool) -> None:
    """From now on work as the role that owns nothing, where there is one; what we start does not learn the owner's
    address."""
    owner, runtime = os.environ["DATABASE_URL"], os.environ.pop("RUNTIME_DATABASE_URL", "")
    use_database(embedded.open_to_runtime_role(owner) if is_embedded else runtime or owner, var)


def use_database(url: str, var: Path) -> None:
    """Use the database at this address from now on; commands beside us find it in a file."""
    os.environ["DATABASE_URL"] = url
    shared = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "VAR_DIR")
    write_secret(var / "servers.json", json.dumps({name: os.environ[name] for name in shared if name in os.environ}))


@contextmanager
def throw_away_servers(*, durable: bool = False) -> Iterator[Path]:
    """Servers for one run of tests or benchmarks; their folder, the VAR_DIR, is removed afterwards.

    `durable` ones are as careful with the disk as those that are kept.
    """
    with TemporaryDirectory(prefix="saiga-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # another account may pass through to its own data
        with supervised() as supervisor:
            supervisor.say = lambda text: None
            start_servers(supervisor, folder, throw_away=not durable)
            yield folder


def keep_secret(path: Path) -> str:
    """The secret in a file of ours alone, made at the first asking."""
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(48))
    return path.read_text()


def write_secret(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text)
    unfinished.replace(path)


@contextmanager
def supervised(lock: int | None = None) -> Iterator[Supervisor]:
    """A supervisor whose children are stopped at the end, whatever happened."""
    supervisor = Supervisor(say, lock)
    try:
        yield supervisor
    finally:
        before = [signal.signal(number, signal.SIG_IGN) for number in _ENDING]
        if supervisor.children:
            supervisor.say("stopping")
        supervisor.stop()
        for number, handler in zip(_ENDING, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def hold_var() -> Iterator[tuple[Path, int]]:
    """Hold the folder of the data for us alone.

    The children hold it too: when their supervisor was killed, we wait until they are gone as well.
    Raises CannotRun when the system already runs on it.
    """
    var = var_folder()
    try:
        var.mkdir(parents=True, exist_ok=True)
        handle = (var / "lock").open("a+")
    except OSError as error:
        raise CannotRun(f"{var} cannot be written: {error.strerror}") from None
    with handle:
        deadline = time.monotonic() + EARLIER_RUN_ENDS_WITHIN
        while not _lock(handle.fileno()):
            if holder := _holder(var):
                raise CannotRun(f"it already runs here, as process {holder}")
            if time.monotonic() > deadline:
                raise CannotRun(f"programs of an earlier run still use {var}: stop them first")
            time.sleep(0.1)
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        try:
            yield var, handle.fileno()
        finally:
            (var / "servers.json").unlink(missing_ok=True)
            if var.exists():
                handle.truncate(0)


def var_folder() -> Path:
    return Path(os.environ.get("VAR_DIR") or ROOT / "var").absolute()


def require_free_port(host: str, port: int) -> None:
    """Raises CannotRun when another program listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRun(f"port {port} cannot be used ({error.strerror}): choose another with PORT=") from None


def say(text: str) -> None:
    print(text, flush=True)


def _digest_files() -> str:
    """Of everything that `manage.py prepare` looks at: names, sizes and times of code, catalogues, static files."""
    digest = hashlib.sha256()
    for folder, folders, files in os.walk(ROOT):
        skipped = ("var", "tests", "docs", "benchmarks", "__pycache__") if folder == str(ROOT) else ("__pycache__",)
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in skipped)
        for path in sorted(Path(folder, name) for name in files if not name.endswith(".mo")):
            stat = path.stat()
            digest.update(f"{path} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _argv(line: str) -> list[str]:
    """A command line with this very Python."""
    return [sys.executable, *line.split()[1:]]


def is_ready(address: str) -> bool:
    """Whether the system at this address says that all of it works."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=5) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)
    except OSError:
        return False


def _reachable(host: str) -> str:
    """The name under which this machine reaches what listens on `host`."""
    everywhere = {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::": "[::1]"}  # noqa: S104  only compared
    return everywhere.get(host, f"[{host}]" if ":" in host else host)


def _running_servers(var: Path) -> dict[str, str]:
    """The environment of the system that runs on this folder, empty when none does."""
    try:
        return dict(json.loads((var / "servers.json").read_text())) if _holder(var) else {}
    except FileNotFoundError:
        return {}


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(var: Path) -> int | None:
    """The supervisor that holds the folder, if it lives."""
    try:
        number = int((var / "lock").read_text())
        os.kill(number, 0)
    except PermissionError:
        return number
    except (OSError, ValueError):
        return None
    return number


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
