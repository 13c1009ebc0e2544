"""What the database itself refuses of weighing. Each trigger names the invariant it guards."""

import pgtrigger

from core.notices.models import JUDGES


def holds_a_post(post: str, weighing: str) -> str:
    """Whether the appointment of this alias is one of who weighed, in force at that moment."""
    return f"""{post}.user_id = {weighing}.weighed_by_id
                    AND ({weighing}.weighed_at AT TIME ZONE 'Asia/Almaty')::date
                        BETWEEN {post}.valid_from AND coalesce({post}.valid_until, 'infinity')
                    AND {weighing}.weighed_at < coalesce({post}.ended_at, 'infinity')"""


# An odd mass of an item that went into the books because two of one organisation found it: line `l` of weighing `w`
# bears out that of `ow`. What counts is where they held a post as each of them weighed, not where they hold one now.
FOUND_AMONG_COLLEAGUES = f"""
                JOIN ledger_weighin l ON l.item_id = k.item_id AND l.weighing_id > asked.id
                    AND l.is_taken AND l.verdict <> 'dry'
                JOIN ledger_weighing w ON w.id = l.weighing_id
                JOIN ledger_weighin other ON other.id = l.bears_out_id
                JOIN ledger_weighing ow ON ow.id = other.weighing_id
                JOIN accounts_appointment a ON {holds_a_post("a", "w")}
                JOIN accounts_appointment b ON b.organisation_id = a.organisation_id AND {holds_a_post("b", "ow")}
"""


def weighing_answers_for_its_masses() -> pgtrigger.Trigger:
    """At commit every gram of a weighing is that of a line of its own; a mass that drying does not explain is found by
    two persons; and the drying account never makes more of an item than it came in with, but for what scales allow.
    """
    return pgtrigger.Trigger(
        name="weighing_answers_for_its_masses",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="weighing"),
        declare=[("wrong", "text"), ("tolerance", "integer")],
        func="""
            SELECT (value ->> 'percent')::integer INTO tolerance FROM rules_rule
            WHERE code = 'handover.mass' AND scope = '' AND enacted_at IS NOT NULL
                AND starts_on <= NEW.effective_on AND (ends_on IS NULL OR ends_on >= NEW.effective_on);
            tolerance := coalesce(tolerance, 0);
            SELECT format('%s of item %s', why, item_id) INTO wrong FROM (
                SELECT p.item_id, CASE
                    WHEN l.id IS NULL OR NOT l.is_taken OR l.grams - l.before_g <> p.grams
                        THEN 'weighing_has_its_lines'
                    WHEN l.verdict <> 'dry' AND (
                        other.id IS NULL OR other.item_id <> p.item_id OR ow.weighed_by_id = w.weighed_by_id
                        OR abs(other.grams - l.grams) > greatest(1, other.grams * tolerance / 100)
                    ) THEN 'odd_mass_is_found_by_two_persons'
                    WHEN p.grams > 0 AND l.grams > f.grams + greatest(1, f.grams * tolerance / 100)
                        THEN 'mass_does_not_outgrow_the_first'
                END AS why
                FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
                JOIN ledger_custodyaccount a ON a.id = p.account_id AND a.is_physical
                LEFT JOIN ledger_weighing w ON w.movement_id = NEW.id AND w.account_id = p.account_id
                LEFT JOIN ledger_weighin l ON l.weighing_id = w.id AND l.item_id = p.item_id
                LEFT JOIN ledger_weighin other ON other.id = l.bears_out_id
                LEFT JOIN ledger_weighing ow ON ow.id = other.weighing_id
                CROSS JOIN LATERAL (
                    SELECT e.grams FROM ledger_posting e WHERE e.item_id = p.item_id AND e.pieces > 0
                    ORDER BY e.movement_id LIMIT 1
                ) f
            ) checked WHERE why IS NOT NULL ORDER BY item_id LIMIT 1;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION '%', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = split_part(wrong, ' ', 1);
            END IF;
            RETURN NULL;
        """,
    )


def mass_is_settled_by_scale_or_authority() -> pgtrigger.Trigger:
    """The question of a mass ends by a weighing of the person who ends it, whose mass the books took, or by a word of
    the authority: what colleagues say of it ends nothing, nor an odd mass that two found who were of one organisation
    as they weighed.
    """
    return pgtrigger.Trigger(
        name="mass_is_settled_by_scale_or_authority",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__kind="mass", new__lifted_at__isnull=False, old__lifted_at__isnull=True),
        func=f"""
            IF (NOT EXISTS (
                SELECT FROM ledger_weighing asked
                JOIN ledger_weighin l ON l.item_id = NEW.item_id AND l.weighing_id > asked.id AND l.is_taken
                JOIN ledger_weighing w ON w.id = l.weighing_id AND w.weighed_by_id = NEW.lifted_by_id
                WHERE asked.number = NEW.reference
            ) OR EXISTS (
                SELECT FROM (SELECT NEW.item_id) k JOIN ledger_weighing asked ON asked.number = NEW.reference
                {FOUND_AMONG_COLLEAGUES}
            )) AND NOT EXISTS (
                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id
                WHERE a.user_id = NEW.lifted_by_id AND a.ended_at IS NULL AND o.is_active
                    AND (NEW.lifted_at AT TIME ZONE 'Asia/Almaty')::date
                        BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')
                    AND a.role IN ({", ".join(f"'{role}'" for role in JUDGES)})
            ) THEN
                RAISE EXCEPTION 'the mass of item % is settled by a weighing or by the authority', NEW.item_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'mass_is_settled_by_scale_or_authority';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the roles are ours
    )
