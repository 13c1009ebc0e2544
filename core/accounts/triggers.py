"""What the database itself refuses about organisations and appointments."""

import pgtrigger

from core.accounts.roles import HELD_IN


def bin_check_digit() -> pgtrigger.Trigger:
    """Refuse a BIN whose last digit does not follow from the others; the same sums as in core.accounts.bin.

    After the row's own checks, so that the digits are known to be digits.
    """
    return pgtrigger.Trigger(
        name="bin_check_digit",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("bin"),
        when=pgtrigger.After,
        declare=[("digit", "integer"), ("second", "integer")],
        func="""
            SELECT sum(substr(NEW.bin, i, 1)::integer * i) % 11,
                   sum(substr(NEW.bin, i, 1)::integer * CASE WHEN i <= 9 THEN i + 2 ELSE i - 9 END) % 11
              INTO digit, second
              FROM generate_series(1, 11) AS i;
            IF digit = 10 THEN
                digit := second;
            END IF;
            IF digit = 10 OR digit <> right(NEW.bin, 1)::integer THEN
                RAISE EXCEPTION 'not a BIN: %', NEW.bin
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'bin_check_digit';
            END IF;
            RETURN NULL;
        """,
    )


def role_fits_organisation() -> pgtrigger.Trigger:
    """Refuse a role in an organisation of a kind in which it cannot be held."""
    return pgtrigger.Trigger(
        name="role_fits_organisation",
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("organisation_id", "role"),
        when=pgtrigger.Before,
        declare=[("its_kind", "text")],
        func=f"""
            SELECT kind INTO its_kind FROM accounts_organisation WHERE id = NEW.organisation_id FOR SHARE;
            IF NOT ((NEW.role, its_kind) IN ({_pairs()})) THEN
                RAISE EXCEPTION 'role % cannot be held in a % organisation', NEW.role, its_kind
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'role_fits_organisation';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the pairs are constants of ours
    )


def kind_fits_appointments() -> pgtrigger.Trigger:
    """Refuse to change an organisation's kind under roles that could not be held in the new one."""
    return pgtrigger.Trigger(
        name="kind_fits_appointments",
        operation=pgtrigger.UpdateOf("kind"),
        when=pgtrigger.Before,
        func=f"""
            IF EXISTS (
                SELECT FROM accounts_appointment a
                 WHERE a.organisation_id = NEW.id AND NOT ((a.role, NEW.kind) IN ({_pairs()}))
            ) THEN
                RAISE EXCEPTION 'roles are held here that a % organisation does not have', NEW.kind
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'kind_fits_appointments';
            END IF;
            RETURN NEW;
        """,
    )


def _pairs() -> str:
    return ", ".join(f"('{role.value}', '{kind}')" for role in HELD_IN for kind in sorted(HELD_IN[role]))
