"""Emptying the test database after tests that commit.

Django empties by TRUNCATE, which the registry's tables refuse, and it would take the regions and rules along
that migrations brought. Here the triggers sleep for that one transaction, and what migrations brought is put
back from a copy.
"""

from django.db import connection

REMEMBER = """
DROP SCHEMA IF EXISTS reference CASCADE;
CREATE SCHEMA reference;

DO $$
DECLARE
    name text;
    filled boolean;
BEGIN
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO filled;
        IF filled THEN
            EXECUTE format('CREATE TABLE reference.%I AS TABLE public.%I', name, name);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION reference.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
    columns text;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '20s';  -- a test that left a transaction open fails instead of waiting for ever
    FOR name IN
        SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'django_migrations'
    LOOP
        EXECUTE format('DELETE FROM public.%I', name);
    END LOOP;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'reference' LOOP
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
            FROM pg_attribute
            WHERE attrelid = format('public.%I', name)::regclass
                AND attnum > 0 AND attgenerated = '' AND NOT attisdropped;
        EXECUTE format(
            'INSERT INTO public.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM reference.%I',
            name, columns, columns, name
        );
    END LOOP;
END $$;
"""


def remember_reference_data() -> None:
    """Copy what migrations brought; to be called once, on a fresh database."""
    with connection.cursor() as cursor:
        cursor.execute(REMEMBER)


def restore_reference_data() -> None:
    """Leave exactly what migrations brought. Needs a superuser: it sets session_replication_role."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reference.restore()")
