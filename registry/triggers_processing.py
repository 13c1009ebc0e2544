"""What the database itself refuses of processing. Each trigger names the invariant it guards."""

from collections.abc import Mapping, Sequence

import pgtrigger


def done_processing_is_whole(ways: Mapping[str, tuple[Sequence[str], str]]) -> pgtrigger.Trigger:
    """At commit a registered run is what its lines and the ledger say: consumed in its store, made in its store, one
    origin class on both sides, terms of its recipe, and the boundary holds exactly the declared loss; and more than
    the norm of the day was lost only if another person has approved it.

    `ways`: by recipe, the terms it takes and the one it gives.
    """
    takes = " ".join(f"WHEN '{recipe}' THEN ARRAY{list(terms)!r}" for recipe, (terms, _gives) in ways.items())
    gives = " ".join(f"WHEN '{recipe}' THEN '{term}'" for recipe, (_takes, term) in ways.items())
    return pgtrigger.Trigger(
        name="done_processing_is_whole",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="done"),
        declare=[("boundary", "bigint"), ("went_in", "bigint"), ("came_out", "bigint"), ("norm", "integer")],
        func=f"""
            SELECT id INTO boundary FROM ledger_custodyaccount WHERE kind = 'processing';
            SELECT id INTO went_in FROM ledger_movement WHERE key = 'processing:' || NEW.id || ':in'
                AND kind = 'consumption';
            SELECT id INTO came_out FROM ledger_movement WHERE key = 'processing:' || NEW.id || ':out'
                AND kind = 'production';
            IF went_in IS NULL OR came_out IS NULL THEN
                RAISE EXCEPTION 'processing % has not moved anything', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_moves_goods';
            END IF;

            IF NOT EXISTS (
                SELECT FROM registry_processinginput WHERE processing_id = NEW.id
                HAVING count(*) = NEW.input_pieces AND sum(mass_g) = NEW.input_g AND count(mass_g) = count(*)
            ) OR EXISTS (
                SELECT FROM registry_processinginput i LEFT JOIN LATERAL (
                    SELECT true AS is_there FROM (
                        SELECT * FROM ledger_posting WHERE movement_id = went_in AND item_id = i.item_id OFFSET 0
                    ) p
                    WHERE p.account_id = NEW.store_id AND p.grams = -i.mass_g
                        AND split_part(p.stock_class, ':', 2) = NEW.origin
                        AND split_part(p.stock_class, ':', 1) = ANY (CASE NEW.recipe {takes} END)
                ) p ON true
                WHERE i.processing_id = NEW.id AND p.is_there IS NULL
            ) OR (
                SELECT count(DISTINCT item_id) FROM ledger_posting WHERE movement_id = went_in
            ) <> NEW.input_pieces THEN
                RAISE EXCEPTION 'processing % did not consume what it says', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_consumes_its_inputs';
            END IF;

            IF NOT EXISTS (
                SELECT FROM registry_intake n JOIN registry_derivative d ON d.intake_id = n.id
                WHERE n.processing_id = NEW.id AND n.state = 'registered' AND n.store_id = NEW.store_id
                HAVING count(*) = NEW.output_pieces AND sum(d.mass_g) = NEW.output_g
                    AND min(d.origin) = NEW.origin AND max(d.origin) = NEW.origin
                    AND min(d.term) = max(d.term) AND min(d.term) = (CASE NEW.recipe {gives} END)
            ) OR EXISTS (
                SELECT FROM registry_intake n JOIN registry_derivative d ON d.intake_id = n.id
                LEFT JOIN ledger_posting p ON p.item_id = d.item_id AND p.movement_id = came_out
                    AND p.account_id = boundary
                WHERE n.processing_id = NEW.id AND (p.id IS NULL OR p.grams <> -d.mass_g)
            ) OR EXISTS (SELECT FROM registry_processingoutput WHERE processing_id = NEW.id) THEN
                RAISE EXCEPTION 'processing % did not make what it says', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_makes_its_outputs';
            END IF;

            IF (
                SELECT coalesce(sum(grams), 0) FROM ledger_posting
                WHERE movement_id IN (went_in, came_out) AND account_id = boundary
            ) <> NEW.loss_g THEN
                RAISE EXCEPTION 'processing % loses more or less than it declares', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_loss_is_declared';
            END IF;

            SELECT (value ->> 'percent')::integer INTO norm FROM rules_rule
            WHERE code = 'processing.loss' AND scope = (CASE NEW.recipe {gives} END) AND enacted_at IS NOT NULL
                AND starts_on <= NEW.on AND (ends_on IS NULL OR ends_on >= NEW.on);
            IF NEW.loss_g * 100 > NEW.input_g * coalesce(norm, 0) AND NEW.approved_by_id IS NULL THEN
                RAISE EXCEPTION 'processing % loses more than the norm, and nobody has approved it', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'loss_beyond_the_norm_is_approved';
            END IF;
            RETURN NULL;
        """,  # noqa: S608  recipes and terms of the registry itself
    )


def lines_belong_to_draft(what: str, operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """What goes in and comes out is chosen while the run is a draft, and not after: but for the act that an approval
    lets through.
    """
    inserted = operation == pgtrigger.Insert
    return pgtrigger.Trigger(
        name=f"draft_{what}_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="touched") if inserted else pgtrigger.Referencing(old="touched"),
        declare=[("wrong", "text")],
        func="""
            SELECT min(r.number) INTO wrong FROM (SELECT DISTINCT processing_id FROM touched) t
            JOIN registry_processing r ON r.id = t.processing_id
            WHERE r.state <> 'draft' AND NOT (r.state = 'awaiting' AND r.approved_at IS NOT NULL);
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'the lines of processing % are closed', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_belong_to_draft';
            END IF;
            RETURN NULL;
        """,
    )


def processing_movement_has_its_run() -> pgtrigger.Trigger:
    """At commit every consumption and production is the movement of a registered run; neither is undone alone.

    Without it mass could pass the boundary of processing with no run to answer for it.
    """
    return pgtrigger.Trigger(
        name="processing_movement_has_its_run",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind__in=["consumption", "production", "reversal"]),
        declare=[("run", "bigint")],
        func="""
            IF NEW.kind = 'reversal' THEN
                SELECT split_part(key, ':', 2)::bigint INTO run FROM ledger_movement
                WHERE id = NEW.reverses_id AND kind IN ('consumption', 'production');
                IF run IS NOT NULL AND (
                    SELECT count(*) FROM ledger_movement m JOIN ledger_movement c ON c.reverses_id = m.id
                    WHERE m.key IN ('processing:' || run || ':in', 'processing:' || run || ':out')
                ) <> 2 THEN
                    RAISE EXCEPTION 'both movements of processing % are undone, or none', run
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_is_undone_whole';
                END IF;
                RETURN NULL;
            END IF;
            IF NOT EXISTS (
                SELECT FROM registry_processing r WHERE r.state = 'done' AND r.number = NEW.reference
                AND NEW.key = 'processing:' || r.id || (CASE NEW.kind WHEN 'consumption' THEN ':in' ELSE ':out' END)
            ) THEN
                RAISE EXCEPTION 'movement % belongs to no processing', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'processing_movement_has_its_run';
            END IF;
            RETURN NULL;
        """,
    )
