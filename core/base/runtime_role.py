"""The role under which the registry works: it owns nothing, and what the triggers refuse it is not granted either.

Migrations run as the owner of the tables; web server, worker and commands as this role. A table whose rows are never
deleted gives it no DELETE; no table gives it TRUNCATE or TRIGGER; owning none, it neither alters one nor puts a trigger
to sleep, and `session_replication_role` is for superusers.
"""

from dataclasses import dataclass

from psycopg import Connection, sql

# Names that `core.base.triggers` gives to triggers which refuse DELETE; pgtrigger writes them so.
KEPT = ("pgtrigger_append_only_%", "pgtrigger_never_deleted_%")


class RoleRefused(Exception):
    """The role cannot be made or used so; the message says what to do."""


@dataclass(frozen=True)
class Role:
    """Whom the registry connects as; without a password where the server asks for none."""

    name: str
    password: str = ""


def set_up(connection: Connection, role: Role) -> None:
    """Make the role where there is none, and grant it what the tables of today need; safe to run again, after every
    migration. The connection is the owner's. Raises RoleRefused.
    """
    owner = connection.info.user
    if role.name == owner:
        raise RoleRefused(f"{owner} owns the tables: name another role")
    _make(connection, role)
    who, database = sql.Identifier(role.name), sql.Identifier(connection.info.dbname)
    one = {"who": who, "database": database, "owner": sql.Identifier(owner)}
    for statement in (
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {who}",
        "GRANT USAGE ON SCHEMA public TO {who}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {who}",
        "GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {who}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {who}",
        "REVOKE INSERT, UPDATE ON public.django_migrations FROM {who}",
        # What a later migration makes can be used before this runs again, but for deleting.
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO {who}",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {who}",
    ):
        connection.execute(sql.SQL(statement).format(**one))
    for table in tables_that_forget(connection):
        connection.execute(sql.SQL("GRANT DELETE ON public.{} TO {}").format(sql.Identifier(table), who))


def tables_that_forget(connection: Connection) -> list[str]:
    """Tables of which rows may be deleted: no trigger refuses it."""
    found = connection.execute(
        """
        SELECT c.relname FROM pg_class c
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'django_migrations'
           AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE ANY (%s))
         ORDER BY c.relname
        """,
        [list(KEPT)],
    )
    return [str(row[0]) for row in found.fetchall()]


def _make(connection: Connection, role: Role) -> None:
    who = sql.Identifier(role.name)
    known = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role.name]).fetchone()
    if known is not None and known[0]:
        raise RoleRefused(f"{role.name} is a superuser: name another role")
    if known is None:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(who)
        )
    if role.password:
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, sql.Literal(role.password)))
    owned = connection.execute(
        "SELECT count(*) FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
        " WHERE r.rolname = %s AND c.relnamespace = 'public'::regnamespace",
        [role.name],
    ).fetchone()
    if owned and owned[0]:
        raise RoleRefused(f"{role.name} owns tables here: name another role")
