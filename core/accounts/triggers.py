"""What the database itself refuses about organisations and appointments."""

import pgtrigger

from core.accounts.roles import ASKING, CONFIRMING, DECIDING, HELD_IN, Role

_TODAY = "(now() AT TIME ZONE 'Asia/Almaty')::date"
# The next sees the row of the one before. The services take the same lock first.
_ONE_AT_A_TIME = "PERFORM pg_advisory_xact_lock(hashtext('two_are_appointed_by_nobody'));"


def in_office(person: str, at: str) -> str:
    """In SQL, the appointments `a` that this person has at this moment, or now where the moment is yet to come.

    They end with a WHERE: what else is asked of `a` and its organisation `o` follows after AND.
    """
    return f"""SELECT FROM accounts_appointment a
                      JOIN accounts_user u ON u.id = a.user_id AND u.is_active
                      JOIN accounts_organisation o ON o.id = a.organisation_id AND o.is_active
                     WHERE a.user_id = {person} AND a.ended_at IS NULL
                       AND (least({at}, now()) AT TIME ZONE 'Asia/Almaty')::date
                           BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')"""


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


def deciding_role_is_given_by_two() -> pgtrigger.Trigger:
    """A role that decides comes from a request that a second person confirmed; it gives just what was asked."""
    return pgtrigger.Trigger(
        name="deciding_role_is_given_by_two",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__appointed_by__isnull=False),
        func=f"""
            IF (NEW.role IN ({_listed(DECIDING)}) OR NEW.request_id IS NOT NULL) AND NOT EXISTS (
                SELECT FROM accounts_rolerequest r
                 WHERE r.id = NEW.request_id AND r.state = 'confirmed' AND r.user_id = NEW.user_id
                   AND r.organisation_id = NEW.organisation_id AND r.role = NEW.role
                   AND r.asked_by_id = NEW.appointed_by_id
                   AND r.valid_until IS NOT DISTINCT FROM NEW.valid_until
            ) THEN
                RAISE EXCEPTION 'role % is given by two persons', NEW.role
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'deciding_role_is_given_by_two';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the roles are constants of ours
    )


def two_are_appointed_by_nobody() -> pgtrigger.Trigger:
    """Two administrators are appointed by nobody, a third only when there are not two left who could give the role."""
    return pgtrigger.Trigger(
        name="two_are_appointed_by_nobody",
        operation=pgtrigger.Insert,
        when=pgtrigger.Before,
        condition=pgtrigger.Q(new__appointed_by__isnull=True),
        func=f"""
            {_ONE_AT_A_TIME}
            IF EXISTS (SELECT FROM accounts_appointment WHERE appointed_by_id IS NULL AND user_id = NEW.user_id)
                OR (SELECT count(*) FROM accounts_appointment WHERE appointed_by_id IS NULL) >= 2
                    AND {_two_give_roles("true")} THEN
                RAISE EXCEPTION 'after the first two, nobody appoints an administrator while two can give the role'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'two_are_appointed_by_nobody';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the roles are constants of ours
    )


def two_who_give_roles_remain() -> pgtrigger.Trigger:
    """Refuse to end a role without which two persons could no longer give roles.

    An account is closed all the same, its roles with it: one in wrong hands must not stay open.
    """
    return pgtrigger.Trigger(
        name="two_who_give_roles_remain",
        operation=pgtrigger.UpdateOf("ended_at"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(
            old__ended_at__isnull=True, new__ended_at__isnull=False, old__role__in=sorted(CONFIRMING)
        ),
        func=f"""
            IF EXISTS (SELECT FROM accounts_user WHERE id = OLD.user_id AND is_active)
                AND OLD.valid_from <= {_TODAY} AND coalesce(OLD.valid_until, 'infinity') >= {_TODAY} THEN
                {_ONE_AT_A_TIME}
                IF NOT {_two_give_roles("a.id <> OLD.id")} THEN
                    RAISE EXCEPTION 'two persons remain who give roles'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'two_who_give_roles_remain';
                END IF;
            END IF;
            RETURN NEW;
        """,
    )


def two_who_give_roles_remain_elsewhere() -> pgtrigger.Trigger:
    """Refuse to close an organisation without whose people two persons could no longer give roles."""
    return pgtrigger.Trigger(
        name="two_who_give_roles_remain_elsewhere",
        operation=pgtrigger.UpdateOf("is_active"),
        when=pgtrigger.Before,
        condition=pgtrigger.Q(old__is_active=True, new__is_active=False),
        func=f"""
            {_ONE_AT_A_TIME}
            IF {_two_give_roles("true")} AND NOT {_two_give_roles("a.organisation_id <> OLD.id")} THEN
                RAISE EXCEPTION 'two persons remain who give roles'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'two_who_give_roles_remain';
            END IF;
            RETURN NEW;
        """,
    )


def role_request_is_confirmed_by_another() -> pgtrigger.Trigger:
    """A role is asked for first, and confirmed by a person who may, and whose account the asker has not in hand."""
    return pgtrigger.Trigger(
        name="role_request_is_confirmed_by_another",
        operation=pgtrigger.Insert | pgtrigger.Update,
        when=pgtrigger.Before,
        func=f"""
            IF TG_OP = 'INSERT' AND NEW.state <> 'asked' OR NEW.state = 'confirmed' AND (
                accounts_in_one_hand(NEW.asked_by_id, NEW.decided_by_id, least(NEW.decided_at, now())) OR NOT EXISTS (
                    {in_office("NEW.decided_by_id", "NEW.decided_at")} AND a.role IN ({_listed(CONFIRMING)})
                )
            ) THEN
                RAISE EXCEPTION 'a role is confirmed by another person'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'role_request_is_confirmed_by_another';
            END IF;
            RETURN NEW;
        """,
    )


def _two_give_roles(which: str) -> str:
    """Whether two who may confirm are in force, one of whom asks, among the appointments `a` that meet `which`."""
    return f"""(
                SELECT count(DISTINCT a.user_id) >= 2 AND coalesce(bool_or(a.role IN ({_listed(ASKING)})), false)
                  FROM accounts_appointment a
                  JOIN accounts_user u ON u.id = a.user_id AND u.is_active
                  JOIN accounts_organisation o ON o.id = a.organisation_id AND o.is_active
                 WHERE {which} AND a.ended_at IS NULL AND a.role IN ({_listed(CONFIRMING)})
                   AND {_TODAY} BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')
            )"""  # noqa: S608  the roles are constants of ours


def _listed(roles: frozenset[Role]) -> str:
    return ", ".join(f"'{role.value}'" for role in sorted(roles))


def _pairs() -> str:
    return ", ".join(f"('{role.value}', '{kind}')" for role in HELD_IN for kind in sorted(HELD_IN[role]))
