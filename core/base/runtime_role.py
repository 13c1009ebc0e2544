"""The role under which the registry works: it owns nothing, and what the triggers refuse it is not granted either.

Migrations run as the owner of the tables; web server, worker and commands as this role. A table whose rows are never
deleted gives it no DELETE; no table gives it TRUNCATE or TRIGGER; owning none, it neither alters one nor puts a trigger
to sleep, and `session_replication_role` is for superusers. Temporary tables it may make, as services do: functions of
triggers find them last (`migrate` sees to that). A role that is more is refused, never cut down: it may be at work
elsewhere.
"""

from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection, errors, sql

# Names that `core.base.triggers` gives to triggers which refuse DELETE; pgtrigger writes them so.
KEPT = ("pgtrigger_append_only_%", "pgtrigger_never_deleted_%")

# With any of these a role does more than work.
ATTRIBUTES = ("SUPERUSER", "CREATEROLE", "CREATEDB", "REPLICATION", "BYPASSRLS")


class RoleRefused(Exception):
    """The role cannot be made or used so; the message says what to do."""


@dataclass(frozen=True)
class Role:
    """Whom the registry connects as; without a password where the server asks for none."""

    name: str
    password: str = ""


MORE_THAN_GRANTED = """
    SELECT 'delete from ' || c.relname FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> ALL (%(forgetful)s)
       AND has_table_privilege(%(name)s, c.oid, 'DELETE')
    UNION ALL
    SELECT 'truncate ' || c.relname || ' or hang a trigger on it' FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND has_table_privilege(%(name)s, c.oid, 'TRUNCATE, TRIGGER')
    UNION ALL
    SELECT 'create in the schema public' WHERE has_schema_privilege(%(name)s, 'public', 'CREATE')
    UNION ALL
    SELECT 'set session_replication_role' WHERE has_parameter_privilege(%(name)s, 'session_replication_role', 'SET')
"""


def set_up(connection: Connection, role: Role) -> None:
    """Make the role where there is none, and grant it what the tables of today need; safe to run again, after every
    migration. The connection is the owner's. Raises RoleRefused.
    """
    owner = _ask(connection, "SELECT current_user")[0]
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
    forgetful = tables_that_forget(connection)
    for table in forgetful:
        connection.execute(sql.SQL("GRANT DELETE ON public.{} TO {}").format(sql.Identifier(table), who))
    if more := _ask(connection, MORE_THAN_GRANTED, {"name": role.name, "forgetful": forgetful}):
        raise RoleRefused(f"{role.name} may do more than is granted here, by PUBLIC or another: {', '.join(more[:5])}")


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


GROUPS = """
    SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
     WHERE r.rolname = %(name)s ORDER BY g.rolname
"""

# Not what is temporary: the role may be at work.
OWNED = """
    SELECT o.what FROM pg_roles r JOIN (
        SELECT relowner, 'table ' || relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
        UNION ALL
        SELECT proowner, 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION ALL
        SELECT nspowner, 'schema ' || nspname FROM pg_namespace WHERE nspname = 'public'
        UNION ALL
        SELECT datdba, 'database ' || datname FROM pg_database WHERE datname = current_database()
    ) o (owner, what) ON o.owner = r.oid
     WHERE r.rolname = %(name)s ORDER BY o.what LIMIT 5
"""


def _make(connection: Connection, role: Role) -> None:
    who = sql.Identifier(role.name)
    known = connection.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        [role.name],
    ).fetchone()
    if known is None:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION").format(who)
        )
    else:
        more = [attribute for attribute, has in zip(ATTRIBUTES, known, strict=True) if has]
        more += [f"member of {group}" for group in _ask(connection, GROUPS, {"name": role.name})]
        more += [f"owner of {thing}" for thing in _ask(connection, OWNED, {"name": role.name})]
        if more:
            raise RoleRefused(f"{role.name} is more than a role to work as ({', '.join(more)}): name another role")
    if role.password:
        # Hashed here: the statement may be written to the log of the server.
        hashed = connection.pgconn.encrypt_password(role.password.encode(), role.name.encode())
        try:
            with connection.transaction():
                connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, sql.Literal(hashed.decode())))
        except errors.InsufficientPrivilege:
            if known is None:
                raise
            # Made by hand, by another account: so is its password.


def _ask(connection: Connection, question: LiteralString, values: dict[str, object] | None = None) -> list[str]:
    """The first column of the answer."""
    return [str(row[0]) for row in connection.execute(question, values).fetchall()]
