"""What the database itself refuses and keeps of label stock. Each trigger names the invariant it guards."""

from collections.abc import Sequence

import pgtrigger

# How the state of a mark on a reel is counted; the ledger has the same words for where a label ended.
STANDING = "CASE WHEN state IN ('active', 'void', 'replaced') THEN 'applied' ELSE state END"


def series_is_made_whole() -> pgtrigger.Trigger:
    """A series is made when the ledger has issued every label that was ordered, no more and no fewer."""
    return pgtrigger.Trigger(
        name="series_is_made_whole",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__state="made") & pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
        func="""
            IF (SELECT coalesce(-sum(h.pieces), 0) FROM marking_labelreel r
                    JOIN marking_labelholding h ON h.reel_id = r.id AND h.place = 'issued'
                    WHERE r.series_id = NEW.id) <> NEW.reel_count::bigint * NEW.reel_size THEN
                RAISE EXCEPTION 'series % is not drawn as it was ordered', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'series_is_made_whole';
            END IF;
            RETURN NEW;
        """,
    )


def labels_go_where_somebody_receives(roles: Sequence[str]) -> pgtrigger.Trigger:
    """Labels are sent, or turned back, only to an office where somebody else may receive them on that day."""
    return pgtrigger.Trigger(
        name="labels_go_where_somebody_receives",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__state__in=["sent", "returning"]),
        declare=[("office", "bigint"), ("on_day", "date")],
        func=f"""
            IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN
                RETURN NEW;
            END IF;
            office := CASE NEW.state WHEN 'sent' THEN NEW.receiver_id ELSE NEW.sender_id END;
            on_day := (coalesce(NEW.turned_at, NEW.sent_at) AT TIME ZONE 'Asia/Almaty')::date;
            IF NOT EXISTS (
                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id
                JOIN accounts_user u ON u.id = a.user_id
                WHERE a.organisation_id = office AND a.ended_at IS NULL AND o.is_active AND u.is_active
                    AND a.valid_from <= on_day AND coalesce(a.valid_until, 'infinity') >= on_day
                    AND a.role IN ({", ".join(f"'{role}'" for role in roles)})
                    AND a.user_id <> NEW.sent_by_id AND a.user_id IS DISTINCT FROM NEW.turned_by_id
            ) THEN
                RAISE EXCEPTION 'nobody may receive the labels of hand-over %', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'labels_go_where_somebody_receives';
            END IF;
            RETURN NEW;
        """,  # noqa: S608  the roles are ours
    )


def labels_are_received_where_they_arrive(roles: Sequence[str]) -> pgtrigger.Trigger:
    """Who receives labels works with them in the office they reach: turned back, in the one that sent them."""
    return pgtrigger.Trigger(
        name="labels_are_received_where_they_arrive",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        condition=pgtrigger.Q(new__state__in=["received", "returned"]),
        declare=[("on_day", "date")],
        func=f"""
            IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN
                RETURN NEW;
            END IF;
            on_day := (least(NEW.received_at, now()) AT TIME ZONE 'Asia/Almaty')::date;
            IF NOT EXISTS (
                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id
                JOIN accounts_user u ON u.id = a.user_id
                WHERE a.user_id = NEW.received_by_id AND a.ended_at IS NULL AND o.is_active AND u.is_active
                    AND a.organisation_id = CASE NEW.state WHEN 'received' THEN NEW.receiver_id ELSE NEW.sender_id END
                    AND on_day BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')
                    AND a.role IN ({", ".join(f"'{role}'" for role in roles)})
            ) THEN
                RAISE EXCEPTION 'the labels of hand-over % are received by somebody of another office', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'labels_are_received_where_they_arrive';
            END IF;
            RETURN NEW;
        """,
    )


def label_movement_balances() -> pgtrigger.Trigger:
    """At commit every movement has entries, and they sum to zero for each reel."""
    return pgtrigger.Trigger(
        name="label_movement_balances",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        func="""
            IF NOT EXISTS (SELECT FROM marking_labelentry WHERE movement_id = NEW.id)
                OR EXISTS (SELECT FROM marking_labelentry WHERE movement_id = NEW.id
                    GROUP BY reel_id HAVING sum(pieces) <> 0) THEN
                RAISE EXCEPTION 'label movement % does not balance', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_movement_balances';
            END IF;
            RETURN NULL;
        """,
    )


def label_entry_keeps_holdings() -> pgtrigger.Trigger:
    """Entries belong to a movement of their own transaction; holdings follow them, what leaves before what arrives."""
    return pgtrigger.Trigger(
        name="label_entry_keeps_holdings",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="entered"),
        declare=[("wrong", "text"), ("leaving", "bigint"), ("left_there", "bigint")],
        func="""
            SELECT min(m.id)::text INTO wrong FROM (SELECT DISTINCT movement_id FROM entered) e
            JOIN marking_labelmovement m ON m.id = e.movement_id
            WHERE m.transaction <> pg_current_xact_id()::text::bigint;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'label movement % was made in another transaction and takes no more entries', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_entries_belong_to_new_movement';
            END IF;
            WITH change AS (
                SELECT reel_id, place, organisation_id, sum(pieces) AS pieces FROM entered
                WHERE place <> 'issued' GROUP BY 1, 2, 3 HAVING sum(pieces) < 0 ORDER BY 1, 2, 3
            ), changed AS (
                UPDATE marking_labelholding h SET pieces = h.pieces + c.pieces FROM change c
                WHERE h.reel_id = c.reel_id AND h.place = c.place AND h.organisation_id = c.organisation_id
                RETURNING 1
            )
            SELECT (SELECT count(*) FROM change), (SELECT count(*) FROM changed) INTO leaving, left_there;
            IF leaving <> left_there THEN
                RAISE EXCEPTION 'labels leave a place where they are not'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_holding_not_negative';
            END IF;
            INSERT INTO marking_labelholding AS h (reel_id, place, organisation_id, pieces)
            SELECT reel_id, place, organisation_id, sum(pieces) FROM entered
            GROUP BY 1, 2, 3 HAVING place = 'issued' OR sum(pieces) > 0 ORDER BY 1, 2, 3
            ON CONFLICT (reel_id, place, organisation_id) DO UPDATE SET pieces = h.pieces + excluded.pieces;
            RETURN NULL;
        """,
    )


def label_stock_adds_up(side: str) -> pgtrigger.Trigger:
    """At commit the ledger of a reel and the states of its marks say the same, whichever of the two was written."""
    return pgtrigger.Trigger(
        name=f"label_stock_adds_up_by_{side}",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        timing=pgtrigger.Deferred,
        func="""
            IF EXISTS (
                SELECT FROM (
                    SELECT CASE WHEN place IN ('to_print', 'office', 'transit') THEN 'blank' ELSE place END AS standing,
                        sum(pieces) AS pieces
                    FROM marking_labelholding WHERE reel_id = NEW.reel_id AND place <> 'issued' GROUP BY 1
                ) l FULL JOIN (
                    SELECT standing, pieces FROM marking_labelcount WHERE reel_id = NEW.reel_id
                ) c USING (standing)
                WHERE coalesce(l.pieces, 0) <> coalesce(c.pieces, 0)
            ) THEN
                RAISE EXCEPTION 'reel %: the ledger of labels and the states of its marks differ', NEW.reel_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_stock_adds_up';
            END IF;
            RETURN NULL;
        """,
    )


def marks_are_counted_when_issued() -> pgtrigger.Trigger:
    """Marks on reels are counted by what they stand for, all rows of a statement at once."""
    return pgtrigger.Trigger(
        name="marks_are_counted_when_issued",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="issued"),
        func=f"""
            INSERT INTO marking_labelcount AS c (reel_id, standing, pieces)
            SELECT reel_id, {STANDING}, count(*) FROM issued WHERE reel_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (reel_id, standing) DO UPDATE SET pieces = c.pieces + excluded.pieces;
            RETURN NULL;
        """,  # noqa: S608  our own words
    )


def marks_are_counted_when_changed() -> pgtrigger.Trigger:
    """A mark on a reel that stands for something else is counted there."""
    changed = f"""
        SELECT o.reel_id, o.was, n.now FROM
            (SELECT code, reel_id, {STANDING} AS was FROM before WHERE reel_id IS NOT NULL) o
            JOIN (SELECT code, {STANDING} AS now FROM after WHERE reel_id IS NOT NULL) n USING (code)
        WHERE o.was <> n.now
    """  # noqa: S608  our own words
    return pgtrigger.Trigger(
        name="marks_are_counted_when_changed",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(old="before", new="after"),
        func=f"""
            UPDATE marking_labelcount c SET pieces = c.pieces - d.pieces
            FROM (SELECT reel_id, was, count(*) AS pieces FROM ({changed}) x GROUP BY 1, 2 ORDER BY 1, 2) d
            WHERE c.reel_id = d.reel_id AND c.standing = d.was;
            INSERT INTO marking_labelcount AS c (reel_id, standing, pieces)
            SELECT reel_id, now, count(*) FROM ({changed}) x GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (reel_id, standing) DO UPDATE SET pieces = c.pieces + excluded.pieces;
            RETURN NULL;
        """,  # noqa: S608  our own words
    )


def label_is_applied_with_a_photo() -> pgtrigger.Trigger:
    """A blank label becomes the mark of an item by an application to that very item, which has a photo."""
    return pgtrigger.Trigger(
        name="label_is_applied_with_a_photo",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__state="blank", new__state="active"),
        func="""
            IF NOT EXISTS (SELECT FROM marking_labelapplication a
                    WHERE a.mark_id = NEW.code AND a.derivative_id = NEW.derivative_id) THEN
                RAISE EXCEPTION 'label % is applied with a photo', NEW.code
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_is_applied_with_a_photo';
            END IF;
            RETURN NEW;
        """,
    )


def label_is_applied_anew_by_two() -> pgtrigger.Trigger:
    """A blank label on an item that had a mark before is bound as two persons decided, by the photo they looked at."""
    return pgtrigger.Trigger(
        name="label_is_applied_anew_by_two",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__state="blank", new__state="active"),
        func="""
            IF EXISTS (SELECT FROM marking_mark m WHERE m.derivative_id = NEW.derivative_id AND m.code <> NEW.code)
                AND NOT EXISTS (
                    SELECT FROM marking_markrequest r JOIN marking_mark m ON m.code = r.mark_id
                    JOIN marking_labelapplication a ON a.mark_id = NEW.code
                    WHERE m.derivative_id = NEW.derivative_id AND r.kind = 'replace' AND r.state = 'approved'
                        AND r.approved_in = pg_current_xact_id()::text::bigint
                        AND r.blank_id = NEW.code AND r.photo_id = a.photo_id
                ) THEN
                RAISE EXCEPTION 'label % follows another mark and takes a second person', NEW.code
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'item_is_marked_anew_by_two';
            END IF;
            RETURN NEW;
        """,
    )


def item_is_marked_anew_by_two() -> pgtrigger.Trigger:
    """A mark issued to an item that had one before is issued as two persons decided. All of a statement at once."""
    return pgtrigger.Trigger(
        name="item_is_marked_anew_by_two",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="issued"),
        declare=[("wrong", "text")],
        func="""
            -- The limit keeps to the index of items, however many are issued.
            SELECT min(n.code) INTO wrong FROM issued n CROSS JOIN LATERAL (
                SELECT FROM marking_mark m WHERE m.derivative_id = n.derivative_id AND m.code <> n.code LIMIT 1
            ) former
            WHERE NOT EXISTS (
                SELECT FROM marking_markrequest r JOIN marking_mark f ON f.code = r.mark_id
                WHERE f.derivative_id = n.derivative_id AND r.kind = 'replace' AND r.state = 'approved'
                    AND r.approved_in = pg_current_xact_id()::text::bigint AND r.blank_id IS NULL
            );
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'mark % follows another mark and takes a second person', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'item_is_marked_anew_by_two';
            END IF;
            RETURN NULL;
        """,
    )


def reprint_is_approved() -> pgtrigger.Trigger:
    """The generation rises by one, and only in the transaction in which a second person approves a reprint.

    Of goods that are there: a reprint of one mark, wherever its item is kept; of an intake, where its keeper has it.
    """
    return pgtrigger.Trigger(
        name="reprint_is_approved",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__generation__gt=pgtrigger.F("old__generation")),
        func="""
            IF NEW.state <> 'active' OR NEW.generation <> OLD.generation + 1 OR NOT EXISTS (
                SELECT FROM marking_markrequest r
                WHERE r.kind = 'reprint' AND r.state = 'approved'
                    AND r.approved_in = pg_current_xact_id()::text::bigint
                    AND EXISTS (
                        SELECT FROM ledger_holding h JOIN ledger_custodyaccount a ON a.id = h.account_id
                        WHERE h.item_id = NEW.derivative_id AND h.pieces > 0 AND h.is_physical
                            AND (r.mark_id = NEW.code OR a.kind IN ('store', 'evidence') AND EXISTS (
                                SELECT FROM registry_derivative d
                                JOIN registry_intake i ON i.id = d.intake_id
                                JOIN ledger_custodyaccount s ON s.id = i.store_id
                                WHERE d.item_id = NEW.derivative_id AND d.intake_id = r.intake_id
                                    AND s.custodian_id = a.custodian_id)))
            ) THEN
                RAISE EXCEPTION 'mark % is printed again with a second person', NEW.code
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reprint_is_approved';
            END IF;
            RETURN NEW;
        """,
    )


def statement_is_fixed_in_a_generation() -> pgtrigger.Trigger:
    """Within a generation a statement stays as signed. One that no kept print shows may be signed anew, by the key in
    use, and then says the same but for the key.
    """
    return pgtrigger.Trigger(
        name="statement_is_fixed_in_a_generation",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__generation=pgtrigger.F("old__generation"))
        & (
            pgtrigger.Q(new__payload__df=pgtrigger.F("old__payload"))
            | pgtrigger.Q(new__signature__df=pgtrigger.F("old__signature"))
            | pgtrigger.Q(new__key__df=pgtrigger.F("old__key"))
        ),
        func="""
            IF NEW.key_id = OLD.key_id
                OR encode(substr(NEW.payload, 2, 4), 'hex') <> NEW.key_id
                OR substr(NEW.payload, 1, 1) <> substr(OLD.payload, 1, 1)
                OR substr(NEW.payload, 6) <> substr(OLD.payload, 6)
                OR length(NEW.signature) <> 64
                OR NEW.state <> OLD.state OR NEW.state NOT IN ('blank', 'active')
                OR NOT EXISTS (SELECT FROM marking_signingkey k WHERE k.id = NEW.key_id AND k.state = 'in_use')
                OR EXISTS (
                    SELECT FROM marking_labelrunmark o
                    WHERE o.mark_id = NEW.code AND o.generation = NEW.generation
                        AND o.place <= (SELECT sum(p.labels) FROM marking_labelpart p WHERE p.run_id = o.run_id)
                ) THEN
                RAISE EXCEPTION 'what mark % says is signed already', NEW.code
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'statement_is_fixed_in_a_generation';
            END IF;
            RETURN NEW;
        """,
    )


def end_is_approved() -> pgtrigger.Trigger:
    """A mark becomes void or replaced only in the transaction in which a second person approves just that."""
    return pgtrigger.Trigger(
        name="end_is_approved",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(new__state__in=["void", "replaced"])
        & pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
        func="""
            IF NOT EXISTS (
                SELECT FROM marking_markrequest r
                WHERE r.mark_id = NEW.code AND r.state = 'approved'
                    AND r.kind = CASE NEW.state WHEN 'void' THEN 'void' ELSE 'replace' END
                    AND r.approved_in = pg_current_xact_id()::text::bigint
                    AND r.asked_by_id = NEW.end_asked_by_id AND r.decided_by_id = NEW.ended_by_id
            ) THEN
                RAISE EXCEPTION 'mark % is ended with a second person', NEW.code
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'end_is_approved';
            END IF;
            RETURN NEW;
        """,
    )


def approval_names_its_transaction() -> pgtrigger.Trigger:
    """An approved request carries the transaction that approved it; one that is approved only learns its results."""
    return pgtrigger.Trigger(
        name="approval_names_its_transaction",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func="""
            IF TG_OP = 'INSERT' THEN
                IF NEW.state <> 'asked' THEN
                    RAISE EXCEPTION 'a request is asked for first' USING ERRCODE = 'check_violation';
                END IF;
            ELSIF OLD.state = 'asked' AND NEW.state = 'approved' THEN
                NEW.approved_in := pg_current_xact_id()::text::bigint;
            ELSIF OLD.state = 'approved' AND (
                NEW.state <> 'approved' OR NEW.decided_by_id <> OLD.decided_by_id OR NEW.decided_at <> OLD.decided_at
                OR OLD.approved_in <> pg_current_xact_id()::text::bigint
                OR NEW.approved_in IS DISTINCT FROM OLD.approved_in
            ) THEN
                RAISE EXCEPTION 'request % was approved', OLD.id USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        """,
    )


def label_is_printed_once() -> pgtrigger.Trigger:
    """A part is kept only of labels that are as they were ordered, under the key in use, and in no other run drawn.

    So one generation of a mark is printed once, and another takes a second person (`reprint_is_approved`).
    """
    return pgtrigger.Trigger(
        name="label_is_printed_once",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        declare=[("first", "bigint"), ("wrong", "text")],
        func="""
            SELECT coalesce(sum(labels), 0) INTO first FROM marking_labelpart
            WHERE run_id = NEW.run_id AND part < NEW.part;
            -- Two runs of one label wait for each other here, and for a reprint that is being approved.
            PERFORM FROM marking_mark WHERE code IN (
                SELECT mark_id FROM marking_labelrunmark
                WHERE run_id = NEW.run_id AND place > first AND place <= first + NEW.labels
            ) ORDER BY code FOR NO KEY UPDATE;
            SELECT min(r.mark_id) INTO wrong FROM marking_labelrunmark r JOIN marking_mark m ON m.code = r.mark_id
            WHERE r.run_id = NEW.run_id AND r.place > first AND r.place <= first + NEW.labels
                AND (m.generation <> r.generation OR m.state NOT IN ('blank', 'active'));
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'label % is not what was ordered any more', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_is_printed_as_ordered';
            END IF;
            SELECT min(r.mark_id) INTO wrong FROM marking_labelrunmark r JOIN marking_mark m ON m.code = r.mark_id
            WHERE r.run_id = NEW.run_id AND r.place > first AND r.place <= first + NEW.labels
                AND m.key_id NOT IN (SELECT id FROM marking_signingkey WHERE state = 'in_use');
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'label % is signed by a key that is not in use', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_is_printed_under_the_key_in_use';
            END IF;
            SELECT min(r.mark_id) INTO wrong FROM marking_labelrunmark r
            JOIN marking_labelrunmark o ON o.mark_id = r.mark_id AND o.generation = r.generation
                AND o.run_id <> r.run_id
            WHERE r.run_id = NEW.run_id AND r.place > first AND r.place <= first + NEW.labels
                AND EXISTS (SELECT FROM marking_labelpart p WHERE p.run_id = o.run_id);
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'label % was printed before', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'label_is_printed_once';
            END IF;
            RETURN NEW;
        """,
    )


def once_code_follows_the_print() -> pgtrigger.Trigger:
    """A hidden code changes only while nobody has used it, and only for that of the present, later print."""
    return pgtrigger.Trigger(
        name="once_code_follows_the_print",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.AnyChange("generation", "digest", "made_by", "made_at"),
        func="""
            IF OLD.used_at IS NOT NULL OR NEW.used_at IS NOT NULL OR NEW.generation <= OLD.generation
                OR NEW.generation <> (SELECT generation FROM marking_mark WHERE code = NEW.mark_id) THEN
                RAISE EXCEPTION 'the hidden code of mark % belongs to its print', NEW.mark_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'once_code_follows_the_print';
            END IF;
            RETURN NEW;
        """,
    )
