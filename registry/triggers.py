"""What the database itself refuses. Each trigger names the invariant it guards."""

import pgtrigger


def intake_goes_to_its_kind_of_room() -> pgtrigger.Trigger:
    """Seized goods go into an evidence room, everything else into a store."""
    return pgtrigger.Trigger(
        name="intake_goes_to_its_kind_of_room",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("its_kind", "text")],
        func="""
            SELECT kind INTO its_kind FROM ledger_custodyaccount WHERE id = NEW.store_id;
            IF its_kind <> (CASE WHEN NEW.origin = 'seizure' THEN 'evidence' ELSE 'store' END) THEN
                RAISE EXCEPTION 'an intake of origin % does not go into an account of kind %', NEW.origin, its_kind
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'intake_goes_to_its_kind_of_room';
            END IF;
            RETURN NEW;
        """,
    )


def registered_intake_is_whole() -> pgtrigger.Trigger:
    """At commit a registered intake has the derivatives it says, each in its store, and none of its rows is left.

    What was seized was put under a hold as evidence; only a confirmed decision has lifted it since.
    """
    return pgtrigger.Trigger(
        name="registered_intake_is_whole",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state="registered"),
        func="""
            IF NOT EXISTS (
                SELECT FROM registry_derivative WHERE intake_id = NEW.id
                HAVING count(*) = NEW.pieces AND sum(mass_g) = NEW.grams
            ) OR EXISTS (SELECT FROM registry_intakerow WHERE intake_id = NEW.id) THEN
                RAISE EXCEPTION 'intake % is not what its derivatives say', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_whole';
            END IF;
            -- One look by item for each derivative, whatever the planner believes of a young table: hence the + 0.
            IF EXISTS (
                SELECT FROM registry_derivative d LEFT JOIN LATERAL (
                    SELECT true AS is_there FROM ledger_posting p
                    WHERE p.item_id = d.item_id AND p.account_id + 0 = NEW.store_id
                    AND p.pieces = 1 AND p.grams = d.mass_g AND p.stock_class = d.term || ':' || d.origin
                    LIMIT 1
                ) p ON true
                WHERE d.intake_id = NEW.id AND p.is_there IS NULL
            ) THEN
                RAISE EXCEPTION 'derivatives of intake % are not in its store', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_in_its_store';
            END IF;
            IF NEW.origin = 'seizure' AND EXISTS (
                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND NOT EXISTS (
                    SELECT FROM ledger_hold h
                    WHERE h.item_id = d.item_id AND h.kind = 'evidence'
                )
            ) THEN
                RAISE EXCEPTION 'seized goods of intake % are not held as evidence', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'seized_goods_are_held';
            END IF;
            RETURN NULL;
        """,
    )


def derivatives_come_by_registration() -> pgtrigger.Trigger:
    """Derivatives are written in one statement, by the registration of their intake, and never added to it later.

    The intake says beforehand how many there are and what they weigh; the statement must make that true.
    """
    return pgtrigger.Trigger(
        name="derivatives_come_by_registration",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="written"),
        declare=[("wrong", "text")],
        func="""
            SELECT min(i.number) INTO wrong
            FROM (SELECT intake_id, array_agg(DISTINCT origin) AS origins FROM written GROUP BY intake_id) w
            JOIN registry_intake i ON i.id = w.intake_id
            JOIN LATERAL (
                SELECT count(*)::int AS pieces, sum(mass_g)::bigint AS grams
                FROM registry_derivative d WHERE d.intake_id = i.id
            ) there ON true
            WHERE i.state <> 'registered' OR w.origins <> ARRAY[i.origin]
                OR (i.pieces, i.grams) IS DISTINCT FROM (there.pieces, there.grams);
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'derivatives of intake % come by its registration only', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'derivatives_come_by_registration';
            END IF;
            RETURN NULL;
        """,
    )


def rows_belong_to_open_intake(operation: pgtrigger.Operation) -> pgtrigger.Trigger:
    """The weighing table changes while its intake is open, and not after."""
    inserted = operation == pgtrigger.Insert
    return pgtrigger.Trigger(
        name=f"open_intake_{str(operation).lower()}",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(new="touched") if inserted else pgtrigger.Referencing(old="touched"),
        declare=[("wrong", "text")],
        func="""
            SELECT min(i.number) INTO wrong FROM (SELECT DISTINCT intake_id FROM touched) t
            JOIN registry_intake i ON i.id = t.intake_id WHERE i.state <> 'open';
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'the table of intake % is closed', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'rows_belong_to_open_intake';
            END IF;
            RETURN NULL;
        """,
    )


def case_words_are_of_their_lists() -> pgtrigger.Trigger:
    """A case says its reason, detection, transport and concealment in words of these lists."""
    return pgtrigger.Trigger(
        name="case_words_are_of_their_lists",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF EXISTS (
                SELECT FROM (VALUES (NEW.reason_id, 'reason'), (NEW.detection_id, 'detection'),
                    (NEW.transport_id, 'transport'), (NEW.concealment_id, 'concealment')) AS said (word, list)
                JOIN registry_caseword w ON w.id = said.word WHERE w.list <> said.list
            ) THEN
                RAISE EXCEPTION 'case % says something in a word of another list', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'case_words_are_of_their_lists';
            END IF;
            RETURN NEW;
        """,
    )


def items_are_decided_with_their_decision() -> pgtrigger.Trigger:
    """Items are named while their decision waits, they are of its case, and they are confirmed with it."""
    return pgtrigger.Trigger(
        name="items_are_decided_with_their_decision",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[("its_state", "text"), ("its_case", "bigint")],
        func="""
            SELECT state, case_id INTO its_state, its_case FROM registry_courtdecision WHERE id = NEW.decision_id;
            IF TG_OP = 'INSERT' AND its_state <> 'recorded' OR NEW.is_confirmed AND its_state <> 'confirmed'
                OR NOT EXISTS (
                    SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id
                    WHERE d.item_id = NEW.item_id AND i.case_id = its_case
                )
            THEN
                RAISE EXCEPTION 'item % is not decided by decision %', NEW.item_id, NEW.decision_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'items_are_decided_with_their_decision';
            END IF;
            RETURN NEW;
        """,
    )
