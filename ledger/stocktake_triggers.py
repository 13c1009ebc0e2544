"""What the database itself keeps and refuses about stock-takes."""

from collections.abc import Sequence

import pgtrigger

# A share lock lets any number of people scan at once; whoever ends the count takes the exclusive one, and waits.
_ONLY_WHILE_COUNTING = """
    PERFORM FROM ledger_stocktake s WHERE s.id IN (SELECT stocktake_id FROM {changed}) FOR SHARE;
    IF EXISTS (
        SELECT FROM {changed} c LEFT JOIN ledger_stocktake s ON s.id = c.stocktake_id
        WHERE s.state IS DISTINCT FROM 'counting'
    ) THEN
        RAISE EXCEPTION 'this stock-take is not being counted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'scan_while_counting';
    END IF;
"""
_COUNTED = ("found", "misplaced", "elsewhere", "arrived", "unknown")


def _add_to_tally(changes: str) -> str:
    columns = ", ".join(_COUNTED)
    sums = ", ".join(f"coalesce(sum(sign) FILTER (WHERE verdict = '{name}'), 0)" for name in _COUNTED)
    more = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in (*_COUNTED, "repeats"))
    return f"""
        INSERT INTO ledger_stocktaketally AS t (stocktake_id, person_id, {columns}, repeats)
        SELECT stocktake_id, scanned_by_id, {sums}, coalesce(sum(repeats), 0)
        FROM ({changes}) AS change (stocktake_id, scanned_by_id, verdict, sign, repeats)
        GROUP BY stocktake_id, scanned_by_id ORDER BY stocktake_id, scanned_by_id
        ON CONFLICT (stocktake_id, person_id) DO UPDATE SET {more};
        RETURN NULL;
    """  # noqa: S608  names of columns from above


def scans_are_counted() -> pgtrigger.Trigger:
    """Each person's tally follows the scans, so that counts cost the same after fifty thousand scans as after one.

    A tally is a row of one person's own: people who scan at once never wait for each other.
    """
    return pgtrigger.Trigger(
        name="scans_are_counted",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func=_ONLY_WHILE_COUNTING.format(changed="added")
        + _add_to_tally("SELECT stocktake_id, scanned_by_id, verdict, 1, repeats FROM added"),
    )


def scans_are_counted_again() -> pgtrigger.Trigger:
    """The tally follows what is scanned twice, and what is taken back."""
    return pgtrigger.Trigger(
        name="scans_are_counted_again",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(old="before", new="changed"),
        func="IF NOT EXISTS (SELECT FROM changed) THEN RETURN NULL; END IF;"  # noqa: S608
        + _ONLY_WHILE_COUNTING.format(changed="changed")
        + _add_to_tally(
            "SELECT stocktake_id, scanned_by_id, verdict, CASE WHEN undone_at IS NULL THEN 1 ELSE 0 END, repeats"
            " FROM changed UNION ALL"
            " SELECT stocktake_id, scanned_by_id, verdict, CASE WHEN undone_at IS NULL THEN -1 ELSE 0 END, -repeats"
            " FROM before"
        ),
    )


def frame_is_frozen() -> pgtrigger.Trigger:
    """Nothing is added to what is expected once counting began."""
    return pgtrigger.Trigger(
        name="frame_is_frozen",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT stocktake_id FROM added) a
                LEFT JOIN ledger_stocktake s ON s.id = a.stocktake_id WHERE s.state IS DISTINCT FROM 'announced'
            ) THEN
                RAISE EXCEPTION 'what is expected is frozen'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'frame_is_frozen';
            END IF;
            RETURN NULL;
        """,
    )


def outcome_is_final() -> pgtrigger.Trigger:
    """What became of each item is written as the count ends, and stays when the stock-take has ended."""
    return pgtrigger.Trigger(
        name="outcome_is_final",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(new="changed"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT stocktake_id FROM changed) c
                JOIN ledger_stocktake s ON s.id = c.stocktake_id WHERE s.state IN ('closed', 'cancelled')
            ) THEN
                RAISE EXCEPTION 'this stock-take has ended'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'outcome_is_final';
            END IF;
            RETURN NULL;
        """,
    )


def commission_signs() -> pgtrigger.Trigger:
    """A stock-take is closed by everybody of its commission, so many as are needed, each under this very result."""
    return pgtrigger.Trigger(
        name="commission_signs",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__state="closed"),
        func="""
            IF (
                SELECT
                    count(DISTINCT m.person_id) FILTER (WHERE m.signed_result = NEW.result_digest) < NEW.persons_needed
                    OR count(*) FILTER (WHERE m.signed_result IS DISTINCT FROM NEW.result_digest) > 0
                FROM ledger_stocktakemember m WHERE m.stocktake_id = NEW.id
            ) THEN
                RAISE EXCEPTION 'the commission has not signed this result'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'commission_signs';
            END IF;
            RETURN NEW;
        """,
    )


def stocktake_goes_its_way(ways: Sequence[tuple[str, str]]) -> pgtrigger.Trigger:
    """A stock-take is announced, counted, signed and closed. What was once counted to the end is signed or counted
    again, in a new round, and not called off.
    """
    allowed = ", ".join(f"('{before}', '{after}')" for before, after in ways)
    return pgtrigger.Trigger(
        name="stocktake_goes_its_way",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'announced' OR NEW.round <> 1 THEN
                    RAISE EXCEPTION 'a stock-take begins as announced'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'stocktake_goes_its_way';
                END IF;
                RETURN NEW;
            END IF;
            IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN ({allowed})
                OR NEW.state = 'cancelled' AND OLD.state <> 'cancelled' AND OLD.round > 1
                OR NEW.round <> OLD.round + ((OLD.state, NEW.state) = ('signing', 'counting'))::integer
            THEN
                RAISE EXCEPTION 'stock-take % does not go from % to %', OLD.number, OLD.state, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'stocktake_goes_its_way';
            END IF;
            RETURN NEW;
        """,
    )


def nobody_judges_the_own_count() -> pgtrigger.Trigger:
    """What a stock-take told is decided by nobody who opened it, scanned, ended it or signed it."""
    return pgtrigger.Trigger(
        name="nobody_judges_the_own_count",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__subject_kind="stocktake", new__state="decided")
        & ~pgtrigger.Q(new__outcome="settled"),
        func="""
            IF (TG_OP = 'INSERT' OR OLD.decided_by_id IS DISTINCT FROM NEW.decided_by_id) AND (EXISTS (
                SELECT FROM ledger_stocktake s WHERE s.id = NEW.subject_id::bigint
                AND NEW.decided_by_id IN (s.opened_by_id, s.ended_by_id)
            ) OR EXISTS (
                SELECT FROM ledger_stocktake s JOIN ledger_stocktaketally t ON t.stocktake_id = s.id
                WHERE s.id = NEW.subject_id::bigint AND t.person_id = NEW.decided_by_id
            ) OR EXISTS (
                SELECT FROM ledger_stocktake s JOIN ledger_stocktakemember m ON m.stocktake_id = s.id
                WHERE s.id = NEW.subject_id::bigint AND m.person_id = NEW.decided_by_id AND m.signed_at IS NOT NULL
            )) THEN
                RAISE EXCEPTION 'nobody decides what the own count told'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'nobody_judges_the_own_count';
            END IF;
            RETURN NEW;
        """,
    )


def signed_while_signing() -> pgtrigger.Trigger:
    """A signature is given to a result that stands, and to that result only; a commission does not change after it."""
    return pgtrigger.Trigger(
        name="signed_while_signing",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__signed_at__isnull=False),
        func="""
            PERFORM FROM ledger_stocktake s WHERE s.id = NEW.stocktake_id
                AND s.state = 'signing' AND s.result_digest = NEW.signed_result FOR SHARE;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'there is no such result to sign'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'signed_while_signing';
            END IF;
            RETURN NEW;
        """,
    )
