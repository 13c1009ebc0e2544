"""The role under which the registry works: what the triggers refuse, it cannot get round either."""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import errors, sql
from pytest_django.plugin import DjangoDbBlocker

from core.base.runtime_role import Role, RoleRefused, set_up, tables_that_forget
from tests.database import drop_database, own_name

KEPT = ["ledger_posting", "ledger_movement", "audit_event", "accounts_appointment", "marking_mark", "notices_notice"]


@pytest.fixture(scope="module")
def owner(
    make_test_database: Callable[[str], str], django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[psycopg.Connection]:
    """The owner's connection to a database of its own, in which the role is set up."""
    name = own_name("runtime")
    url = make_test_database(name)
    with psycopg.connect(url, autocommit=True) as connected:
        role = f"{name}_app"
        set_up(connected, Role(role, "a-password-of-tests"))
        yield connected
        connected.execute(f"DROP OWNED BY {role}")
        connected.execute(f"DROP ROLE {role}")
    with django_db_blocker.unblock():
        drop_database(name)


@pytest.fixture
def at_work(owner: psycopg.Connection) -> Iterator[psycopg.Connection]:
    """As the registry itself is connected."""
    told = owner.info
    with psycopg.connect(
        host=told.host, port=told.port, dbname=told.dbname, user=told.user, password=told.password, autocommit=True
    ) as connected:
        # Not by the door: whether it asks for a password is a matter of the server.
        connected.execute(f"SET SESSION AUTHORIZATION {told.dbname}_app")
        connected.autocommit = False
        yield connected
        connected.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
        "ALTER TABLE ledger_posting DISABLE TRIGGER USER",
        "ALTER TABLE ledger_posting OWNER TO CURRENT_USER",
        "SET session_replication_role = replica",
        "DELETE FROM ledger_posting",
        "DELETE FROM ledger_movement",
        "DELETE FROM audit_event",
        "TRUNCATE ledger_posting",
        "TRUNCATE django_session",
        "DROP TABLE ledger_posting CASCADE",
        (
            "CREATE TRIGGER mine BEFORE INSERT ON ledger_posting"
            " FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"
        ),
        "CREATE TABLE public.mine (id integer)",
        (
            "CREATE OR REPLACE FUNCTION accounts_in_one_hand(one bigint, other bigint, moment timestamptz)"
            " RETURNS boolean LANGUAGE sql AS 'SELECT false'"
        ),
        "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE another SUPERUSER",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('ledger', 'x', now())",
        "COPY ledger_posting TO '/tmp/postings'",
    ],
)
def test_it_is_refused(at_work: psycopg.Connection, statement: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        at_work.execute(statement)


def test_it_drops_no_trigger(owner: psycopg.Connection, at_work: psycopg.Connection) -> None:
    names = owner.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'ledger_posting'::regclass AND NOT tgisinternal"
    ).fetchall()

    assert "append_only" in str(names)
    for (name,) in names:
        with pytest.raises(errors.InsufficientPrivilege):
            at_work.execute(sql.SQL("DROP TRIGGER {} ON ledger_posting").format(sql.Identifier(name)))
        at_work.rollback()


def test_what_a_trigger_asks_is_no_table_of_its_own_making(at_work: psycopg.Connection) -> None:
    """Which roles an organisation has depends on its kind, which the trigger looks up."""
    (trader,) = at_work.execute(
        "INSERT INTO accounts_organisation (name_kk, name_ru, name_en, bin, kind, is_active)"
        " VALUES ('t', 't', 't', '050740004819', 'trader', true) RETURNING id"
    ).fetchone() or (None,)
    at_work.execute("CREATE TEMP TABLE accounts_organisation AS SELECT %s AS id, 'ministry' AS kind", [trader])

    with pytest.raises(errors.CheckViolation, match="cannot be held in a trader organisation"):
        at_work.execute(
            "INSERT INTO accounts_appointment (role, valid_from, user_id, organisation_id)"
            " VALUES ('administrator', now(), 1, %s)",
            [trader],
        )


def test_it_becomes_nobody_else(owner: psycopg.Connection, at_work: psycopg.Connection) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        at_work.execute(f'SET ROLE "{owner.info.user}"')


def test_the_settings_of_the_library_put_no_trigger_to_sleep(
    owner: psycopg.Connection, at_work: psycopg.Connection
) -> None:
    names = [str(row[0]) for row in owner.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_%'")]
    at_work.execute("SELECT set_config('pgtrigger.ignore', %s, false)", ["{" + ",".join(names) + "}"])

    with pytest.raises(errors.RaiseException, match="append_only"):
        at_work.execute("UPDATE rules_legalbasis SET number = 'mine'")


def test_it_has_nothing_and_is_nothing_special(owner: psycopg.Connection, at_work: psycopg.Connection) -> None:
    me = f"{owner.info.dbname}_app"
    flags = owner.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        [me],
    ).fetchone()
    owned = owner.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname = %s", [me]
    ).fetchone()

    assert flags == (False,) * 5
    assert owned == (0,)


def test_what_is_kept_is_not_deleted_and_what_is_forgotten_is(owner: psycopg.Connection) -> None:
    forgetful = tables_that_forget(owner)

    assert not set(KEPT) & set(forgetful)
    assert {"django_session", "accounts_apirequest", "accounts_appointment_regions"} <= set(forgetful)


def test_it_does_its_work(at_work: psycopg.Connection) -> None:
    now = datetime.now(UTC)
    at_work.execute(
        "INSERT INTO audit_event (verb, at, subject_kind, subject_id, subject_name, actor_name, facts)"
        " VALUES ('user.created', %s, 'user', '1', '', '', '{}')",
        [now],
    )
    at_work.execute("INSERT INTO django_session VALUES ('k', 'd', %s)", [now])
    at_work.execute("DELETE FROM django_session")
    at_work.execute("CREATE TEMPORARY TABLE coming (LIKE marking_check) ON COMMIT DROP")
    at_work.execute("ALTER TABLE coming ALTER recorded_at DROP NOT NULL")
    for table in ("marking_signingkey", "ledger_movement", "marking_snapshot"):
        at_work.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
    at_work.execute("SELECT pg_advisory_xact_lock(7)")
    at_work.execute("SELECT 1 FROM rules_rule FOR UPDATE")
    assert at_work.execute("SELECT count(*) FROM django_migrations").fetchone() != (0,)


def test_what_a_later_migration_makes_can_be_used(owner: psycopg.Connection, at_work: psycopg.Connection) -> None:
    owner.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, what text)")
    try:
        at_work.execute("INSERT INTO later (what) VALUES ('x')")
        at_work.execute("UPDATE later SET what = 'y'")
        with pytest.raises(errors.InsufficientPrivilege):
            at_work.execute("DELETE FROM later")
        at_work.rollback()
    finally:
        owner.execute("DROP TABLE later")


def test_it_is_set_up_again_without_harm(owner: psycopg.Connection, at_work: psycopg.Connection) -> None:
    set_up(owner, Role(f"{owner.info.dbname}_app"))

    assert at_work.execute("SELECT count(*) FROM rules_rule").fetchone() != (0,)


def test_an_owner_is_not_taken(owner: psycopg.Connection) -> None:
    with pytest.raises(RoleRefused, match="owns the tables"):
        set_up(owner, Role(owner.info.user))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ALTER ROLE {other} SUPERUSER", "SUPERUSER"),
        ("ALTER ROLE {other} CREATEROLE", "CREATEROLE"),
        ("ALTER ROLE {other} CREATEDB", "CREATEDB"),
        ("ALTER ROLE {other} REPLICATION", "REPLICATION"),
        ("ALTER ROLE {other} BYPASSRLS", "BYPASSRLS"),
        ("GRANT {owner} TO {other}", "member of "),
        ("GRANT pg_write_all_data TO {other}", "member of pg_write_all_data"),
        ("ALTER TABLE rules_rule OWNER TO {other}", "owner of table rules_rule"),
        (
            "ALTER FUNCTION accounts_in_one_hand(bigint, bigint, timestamptz) OWNER TO {other}",
            "owner of function accounts_in_one_hand",
        ),
        ("ALTER SCHEMA public OWNER TO {other}", "owner of schema public"),
        ("ALTER DATABASE {database} OWNER TO {other}", "owner of database"),
        ("GRANT DELETE ON ledger_posting TO PUBLIC", "delete from ledger_posting"),
        ("GRANT TRIGGER ON ledger_posting TO PUBLIC", "hang a trigger"),
        ("GRANT SET ON PARAMETER session_replication_role TO {other}", "set session_replication_role"),
    ],
)
def test_a_role_that_is_more_is_not_taken(owner: psycopg.Connection, given: str, told: str) -> None:
    other = f"{owner.info.dbname}_other"
    names = {"other": other, "owner": owner.info.user, "database": owner.info.dbname}

    with owner.transaction(force_rollback=True):
        owner.execute(f"CREATE ROLE {other} LOGIN")
        set_up(owner, Role(other))
        owner.execute(given.format(**names).encode())
        with pytest.raises(RoleRefused, match=told):
            set_up(owner, Role(other))


def test_its_password_is_not_in_the_log_of_the_server(owner: psycopg.Connection) -> None:
    other, password, told = f"{owner.info.dbname}_other", "a-password-of-tests", []

    with owner.transaction(force_rollback=True):
        owner.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
        owner.execute("SET LOCAL client_min_messages = log; SET LOCAL log_statement = 'all'")
        set_up(owner, Role(other, password))
        kept = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [other]).fetchone()

    assert any("ALTER ROLE" in line for line in told)
    assert not any(password in line for line in told)
    assert kept is not None
    assert opens(kept[0], password)


def opens(kept: str, password: str) -> bool:
    """Whether the server would take this password: RFC 5802."""
    _, rounds_salt, keys = kept.split("$")
    rounds, salt = rounds_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return stored == base64.b64decode(keys.split(":")[0])


def test_an_owner_who_makes_no_roles_takes_one_made_by_hand(owner: psycopg.Connection) -> None:
    """With the password it has: only who may make roles sets it."""
    plain, other = f"{owner.info.dbname}_plain", f"{owner.info.dbname}_other"

    with owner.transaction(force_rollback=True):
        owner.execute(f"CREATE ROLE {plain}; CREATE ROLE {other} LOGIN PASSWORD 'by-hand'")
        owner.execute(f"ALTER DATABASE {owner.info.dbname} OWNER TO {plain}")
        for (table,) in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            owner.execute(sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), sql.Identifier(plain)))
        owner.execute(f"SET LOCAL ROLE {plain}")
        set_up(owner, Role(other, "another"))
        owner.execute("RESET ROLE")
        kept = owner.execute("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [other]).fetchone()

    assert kept is not None
    assert opens(kept[0], "by-hand")


@pytest.mark.django_db
def test_the_command_says_what_it_needs() -> None:
    with pytest.raises(CommandError, match="RUNTIME_DATABASE_URL"):
        call_command("runtime_role")
    with pytest.raises(CommandError, match="owns the tables"):
        call_command("runtime_role", url=f"postgres://{connection.settings_dict['USER'] or os.environ['USER']}@/x")
