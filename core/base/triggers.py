"""Database triggers shared by rooms whose rows are facts."""

import pgtrigger
from django.db import connections

NEVER = "SELECT false"
PATH = "pg_catalog, public, pg_temp"


def may_look_away(database: str = "default") -> bool:
    """Whether triggers ask a setting, which whoever is connected may set, if they shall be silent.

    So they do as the library makes them, until `migrate` answers for good: never.
    """
    with connections[database].cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE oid = to_regproc('public._pgtrigger_should_ignore')")
        found = cursor.fetchone()
    return found is not None and found != (NEVER,)


def led_astray(database: str = "default") -> list[str]:
    """Our functions, of triggers and those that they call, that look for a table by the path of who is connected.

    They name tables without a schema, and a temporary table of the same name is found before ours, until `migrate` has
    given each a path on which temporary tables come last.
    """
    with connections[database].cursor() as cursor:
        cursor.execute(
            """
            SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
             WHERE p.pronamespace = 'public'::regnamespace AND l.lanname IN ('plpgsql', 'sql')
               AND p.proname <> '_pgtrigger_should_ignore' AND %s <> ALL (coalesce(p.proconfig, '{}'))
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
             ORDER BY 1
            """,
            [f"search_path={PATH}"],
        )
        return [str(row[0]) for row in cursor.fetchall()]


def append_only() -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE, whoever asks."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        _no_truncate(),
    ]


def never_deleted() -> list[pgtrigger.Trigger]:
    """Refuse DELETE and TRUNCATE: a row may change state but not vanish."""
    return [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete), _no_truncate()]


def fixed(name: str, *fields: str) -> pgtrigger.Trigger:
    """Refuse any change of these fields; the rest of the row may move on."""
    return pgtrigger.ReadOnly(name=name, fields=list(fields))


def final_once(name: str, condition: pgtrigger.Q) -> pgtrigger.Trigger:
    """Refuse every UPDATE of a row whose old state meets `condition`: what is ended stays as it ended."""
    return pgtrigger.Protect(name=name, operation=pgtrigger.Update, condition=condition)


def written_by_trigger_only() -> pgtrigger.Trigger:
    """Refuse every write by hand: the rows follow others, by the trigger of those. For holdings, totals and counts."""
    return pgtrigger.Trigger(
        name="written_by_trigger_only",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func="""
            IF pg_trigger_depth() < 2 THEN
                RAISE EXCEPTION '% is kept by triggers and not written by hand', TG_TABLE_NAME
                    USING ERRCODE = 'insufficient_privilege';
            END IF;
            RETURN NULL;
        """,
    )


def _no_truncate() -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name="no_truncate",
        operation=pgtrigger.Truncate,
        when=pgtrigger.Before,
        level=pgtrigger.Statement,
        func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
    )
