"""The ground of all tests: servers, database, browser, and the whole system for the journeys."""

import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import TransactionTestCase, override_settings
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from pytest_django.plugin import DjangoDbBlocker
from xdist.scheduler import LoadFileScheduling

from core.base.catalogues import compile_catalogues
from core.base.stack import ROOT, is_ready, throw_away_servers
from core.base.supervisor import NotReady, Supervisor, read_tail
from tests.database import drop_database, make_database, own_name, restore_reference_data, use_database

WORKER = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
SYSTEM_READY_WITHIN = 180.0  # seconds, demo data included
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_CHROMIUM = "no Chromium here. On Debian or Ubuntu: apt install chromium. Elsewhere: install Google Chrome."
SERVERS = ExitStack()
JOURNEYS = "tests/journeys/"


def _with_own_redis(url: str, number: int) -> str:
    """The same server, another of its numbered databases: what one process empties another may use."""
    if url.startswith("unix:"):
        return f"{url.partition('?')[0]}?db={number}"
    host = url.removeprefix("redis://").partition("/")[0]
    return f"redis://{host}/{number}"


# Settings are read when Django is set up, which pytest-django does after this file is imported.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if "PYTEST_XDIST_WORKER" not in os.environ:
    SERVERS.enter_context(throw_away_servers())
    compile_catalogues()
    (Path(os.environ["VAR_DIR"]) / "static").mkdir()  # WhiteNoise warns where it is missing
os.environ["REDIS_URL"] = _with_own_redis(os.environ["REDIS_URL"], 1 + int(WORKER.removeprefix("gw")))
if settings.configured:
    # A process of xdist is born with DJANGO_SETTINGS_MODULE, so pytest-django has read the settings before this file.
    _again = importlib.reload(importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"]))
    for _name in ("REDIS_URL", "CACHES", "CELERY_BROKER_URL"):
        setattr(settings, _name, getattr(_again, _name))


def pytest_sessionstart(session: pytest.Session) -> None:
    """The cast comes in when Django is set up, which its models need."""
    django.setup()
    for plugin in ("tests.cast", "tests.goods", "tests.builders", "tests.marks", "tests.rights"):
        session.config.pluginmanager.import_plugin(plugin)


def pytest_unconfigure(config: pytest.Config) -> None:
    SERVERS.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Repeat how the stages before this one ended, so that the end of the output tells all."""
    if stages := os.environ.get("STAGES"):
        terminalreporter.section("stages before the tests")
        terminalreporter.write_line(stages)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the whole system is a journey; it runs in the process where the system is started once."""
    for item in items:
        if "system" in getattr(item, "fixturenames", ()):
            if not item.nodeid.startswith(JOURNEYS):
                raise pytest.UsageError(f"{item.nodeid} needs the whole system: its place is {JOURNEYS}")
            item.add_marker(pytest.mark.browser)


class OneProcessForJourneys(LoadFileScheduling):
    """Files are given out to processes as wholes, and all journeys to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return JOURNEYS if nodeid.startswith(JOURNEYS) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneProcessForJourneys:
    return OneProcessForJourneys(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep a picture of the page on which a browser test failed."""
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if isinstance(page, Page) and report.when == "call" and report.failed:
        picture = ROOT / "var" / "test-failures" / f"{item.name}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=picture)
        report.sections.append(("page", f"{page.url}\npicture: {picture}"))
    return report


# Database


@pytest.fixture(scope="session")
def django_db_setup(make_test_database: Callable[[str], str], django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database of this process, and how it is emptied after tests that commit."""
    before = str(settings.DATABASES["default"]["NAME"])
    name = own_name(f"test_{WORKER}")
    with django_db_blocker.unblock():
        make_test_database(name)
        use_database(name)
    case: Any = TransactionTestCase
    case._fixture_teardown = lambda self: restore_reference_data()
    yield
    with django_db_blocker.unblock():
        use_database(before)
        drop_database(name)


@pytest.fixture(scope="session")
def make_test_database(pytestconfig: pytest.Config, django_db_blocker: DjangoDbBlocker) -> Callable[[str], str]:
    """Makes a migrated database of the given name and returns its URL."""
    texts = pytestconfig.cache.mkdir("database")
    lock = Path(os.environ["VAR_DIR"]) / "template.lock"

    def make(name: str) -> str:
        with django_db_blocker.unblock():
            return make_database(name, texts=texts, lock=lock)

    return make


@pytest.fixture(scope="session", autouse=True)
def _settings_for_tests() -> Iterator[None]:
    """Static files by their plain names, and a password hash that costs nothing."""
    storages = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(STORAGES=storages, PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """No test is refused because of how often another one asked."""
    cache.clear()


# The whole system


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory, make_test_database: Callable[[str], str]) -> Iterator[str]:
    """The address of the whole system, started as `make run` starts it: a fresh database with demo data.

    SYSTEM=http://localhost:8000 walks over a system that runs already.
    """
    if running := os.environ.get("SYSTEM"):
        yield running
        return
    folder = tmp_path_factory.mktemp("system")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://localhost:{port}"
    database = own_name("system")
    own = {
        "DATABASE_URL": make_test_database(database),
        "REDIS_URL": _with_own_redis(os.environ["REDIS_URL"], 14),
        "VAR_DIR": str(folder),
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "DEMO": "yes",
    }
    log = folder / "system.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.base.stack", "run"],
            cwd=ROOT,
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        try:
            Supervisor(print).wait_until(
                lambda: process.poll() is not None or is_ready(address), within=SYSTEM_READY_WITHIN, name="it"
            )
        except NotReady as error:
            pytest.fail(f"{error}:\n{read_tail(log, 60)}")
        if process.poll() is not None:
            pytest.fail(f"the system did not start:\n{read_tail(log, 60)}")
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        drop_database(database)


# The browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Without one these tests are left out, but never by CI."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    # Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
    ]
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*arguments, *quiet])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, system: str) -> Iterator[Page]:
    """A page of a fresh visitor who reads Kazakh. Errors of scripts and refusals by CSP fail the test."""
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    with browser.new_context(base_url=system, locale="kk-KZ", timezone_id="Asia/Almaty") as context:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", note)
        yield page
        assert faults == []
