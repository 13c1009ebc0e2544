"""What the database itself refuses and keeps. Each trigger names the invariant it guards."""

from collections.abc import Sequence

import pgtrigger


def account_keeps_its_nature() -> pgtrigger.Trigger:
    """An account never changes its kind or custodian: its history would change meaning."""
    return pgtrigger.Protect(
        name="account_keeps_its_nature",
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__kind__df=pgtrigger.F("new__kind"))
        | pgtrigger.Q(old__custodian__df=pgtrigger.F("new__custodian")),
    )


def movement_respects_closed_periods() -> pgtrigger.Trigger:
    """A closed period takes no movement; nor does tomorrow. Days are those of Almaty."""
    return pgtrigger.Trigger(
        name="movement_respects_closed_periods",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF EXISTS (SELECT FROM ledger_periodclose WHERE until >= NEW.effective_on) THEN
                RAISE EXCEPTION 'the period up to and including % is closed', NEW.effective_on
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_in_open_period';
            END IF;
            IF NEW.effective_on > (now() AT TIME ZONE 'Asia/Almaty')::date THEN
                RAISE EXCEPTION 'a movement cannot take effect in the future (%)', NEW.effective_on
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_not_in_future';
            END IF;
            RETURN NEW;
        """,
    )


def movement_balances() -> pgtrigger.Trigger:
    """At commit every movement has postings, and they sum to zero for each item in pieces and in grams.

    What kind of stock an item is (its class) changes by a decision only: origins are never mixed.
    """
    return pgtrigger.Trigger(
        name="movement_balances",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        declare=[("items", "bigint"), ("wrong", "text")],
        func="""
            -- OFFSET 0 keeps the planner on the index of movements, whatever it believes of a young table.
            SELECT count(*), min(why) INTO items, wrong FROM (
                SELECT CASE WHEN sum(pieces) <> 0 OR sum(grams) <> 0 THEN 'movement_balances'
                    WHEN NEW.kind NOT IN ('decision', 'reversal') AND min(stock_class) <> max(stock_class)
                        THEN 'only_a_decision_changes_the_class'
                    END AS why
                FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
                GROUP BY item_id
            ) item;
            IF items = 0 THEN
                RAISE EXCEPTION 'movement % has no postings', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_has_postings';
            END IF;
            IF wrong = 'movement_balances' THEN
                RAISE EXCEPTION 'movement % does not balance', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_balances';
            ELSIF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'movement % makes another kind of stock of an item', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_decision_changes_the_class';
            END IF;
            RETURN NULL;
        """,
    )


def reversal_mirrors_what_it_reverses() -> pgtrigger.Trigger:
    """At commit a reversal is its movement with every sign turned round: nothing more, nothing less."""
    return pgtrigger.Trigger(
        name="reversal_mirrors_what_it_reverses",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="reversal"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) b
                FULL JOIN (SELECT * FROM ledger_posting WHERE movement_id = NEW.reverses_id OFFSET 0) f
                    ON (f.account_id, f.item_id, f.stock_class, f.pieces, f.grams)
                        = (b.account_id, b.item_id, b.stock_class, -b.pieces, -b.grams)
                WHERE f.id IS NULL OR b.id IS NULL
            ) THEN
                RAISE EXCEPTION 'movement % is not the reversal of movement %', NEW.id, NEW.reverses_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reversal_mirrors_what_it_reverses';
            END IF;
            RETURN NULL;
        """,
    )


def movement_of_a_load_is_named_by_it() -> pgtrigger.Trigger:
    """At commit a dispatch, an acceptance and a return are of a hand-over that says so: its own goods, between its own
    accounts, by the persons that it names. What is received as a load closes, `handover_is_counted` compares.

    A transfer has no such row: `movement_goes_its_way` keeps it with its keeper and in its region. An intake is asked
    for by the room that registers it.
    """
    return pgtrigger.Trigger(
        name="movement_of_a_load_is_named_by_it",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind__in=["dispatch", "accept", "return", "missing"]),
        declare=[("load", "ledger_handover"), ("source", "bigint"), ("target", "bigint"), ("pieces", "bigint")],
        func="""
            IF NEW.kind = 'dispatch' THEN
                SELECT * INTO load FROM ledger_handover WHERE dispatch_movement_id = NEW.id
                    AND dispatched_by_id = NEW.actor_id AND under = NEW.under;
                source := load.source_id;
                target := load.transit_id;
            ELSE
                -- What was received as the load closed, or what was missing then and has turned up.
                SELECT * INTO load FROM ledger_handover h WHERE h.number = NEW.reference
                    AND NEW.gave_id = h.dispatched_by_id AND NEW.accepted_id = NEW.actor_id
                    AND CASE
                        WHEN NEW.key = 'accept:' || h.id THEN h.closed_by_id = NEW.accepted_id AND NEW.under = h.under
                            AND (NEW.kind, h.state) IN (('accept', 'accepted'), ('return', 'returned'))
                        WHEN NEW.key LIKE 'later:' || h.id || ':%' THEN h.closed_by_id <> NEW.accepted_id
                            AND h.dispatched_by_id <> NEW.accepted_id
                            AND h.turned_by_id IS DISTINCT FROM NEW.accepted_id
                            AND NEW.kind = 'accept' AND h.state IN ('accepted', 'returned')
                            AND NOT EXISTS (
                                SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
                                WHERE NOT EXISTS (
                                    SELECT FROM ledger_handoverline l WHERE l.handover_id = h.id
                                    AND l.item_id = p.item_id AND l.outcome = 'later' AND l.scanned_by_id = NEW.actor_id
                                )
                            )
                        ELSE false END;
                source := load.transit_id;
                target := CASE load.state WHEN 'accepted' THEN load.target_id ELSE load.source_id END;
            END IF;
            IF load.id IS NOT NULL THEN
                SELECT count(*) FILTER (WHERE p.pieces > 0) INTO pieces
                FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
                HAVING bool_and(p.account_id = CASE WHEN p.pieces > 0 THEN target ELSE source END);
                -- Its lines are of what it sent (`line_was_dispatched`): as many lines are the same goods.
                IF NEW.kind = 'dispatch' AND pieces <> (
                    SELECT count(*) FROM ledger_handoverline WHERE handover_id = load.id
                ) THEN
                    pieces := NULL;
                END IF;
            END IF;
            IF pieces IS NULL THEN
                RAISE EXCEPTION 'no hand-over says what movement % does', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_of_a_load_is_named_by_it';
            END IF;
            RETURN NULL;
        """,
    )


def handover_is_counted() -> pgtrigger.Trigger:
    """At commit a load that closed is counted to the last line: what was received is in its place by its movement, and
    what is missing is held where it is.
    """
    return pgtrigger.Trigger(
        name="handover_is_counted",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("state"),
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__state__in=["accepted", "returned"]),
        declare=[("received", "bigint[]"), ("missing", "bigint[]"), ("taken", "bigint"), ("is_pending", "boolean")],
        func="""
            -- Each side is read once, in the order of its index: ten thousand items are compared in some milliseconds.
            SELECT array_agg(item_id ORDER BY item_id) FILTER (WHERE outcome = 'received'),
                array_agg(item_id) FILTER (WHERE outcome = 'missing'), bool_or(outcome = 'pending')
            INTO received, missing, is_pending
            FROM (SELECT * FROM ledger_handoverline WHERE handover_id = NEW.id ORDER BY item_id OFFSET 0) l;
            SELECT id INTO taken FROM ledger_movement WHERE key = 'accept:' || NEW.id
                AND kind = CASE NEW.state WHEN 'accepted' THEN 'accept' ELSE 'return' END;
            IF taken IS NULL OR is_pending OR received IS DISTINCT FROM (
                SELECT array_agg(item_id ORDER BY item_id) FROM (
                    SELECT item_id FROM ledger_posting WHERE movement_id = taken AND pieces > 0
                        AND account_id = CASE NEW.state WHEN 'accepted' THEN NEW.target_id ELSE NEW.source_id END
                    ORDER BY item_id OFFSET 0
                ) p
            ) OR EXISTS (
                SELECT FROM unnest(missing) AS l (item)
                JOIN ledger_holding h ON h.item_id = l.item AND h.account_id = NEW.transit_id AND h.pieces > 0
                WHERE NOT EXISTS (SELECT FROM ledger_hold k WHERE k.item_id = l.item AND k.lifted_at IS NULL)
            ) THEN
                RAISE EXCEPTION 'hand-over % is closed and not counted', NEW.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'handover_is_counted';
            END IF;
            RETURN NULL;
        """,
    )


def line_stays_as_counted() -> pgtrigger.Trigger:
    """What became of a line stays as it was when its load closed, but for what was missing and has turned up."""
    return pgtrigger.Trigger(
        name="line_stays_as_counted",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(old="before", new="changed"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT handover_id FROM changed) c
                JOIN ledger_handover h ON h.id = c.handover_id AND h.state IN ('accepted', 'returned', 'cancelled')
            ) AND EXISTS (
                SELECT FROM changed c JOIN before b ON b.id = c.id
                JOIN ledger_handover h ON h.id = c.handover_id AND h.state IN ('accepted', 'returned', 'cancelled')
                WHERE c.outcome <> b.outcome AND (b.outcome, c.outcome) <> ('missing', 'later')
            ) THEN
                RAISE EXCEPTION 'the lines of this hand-over are counted'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'line_stays_as_counted';
            END IF;
            RETURN NULL;
        """,
    )


def line_is_received_by_the_other_side() -> pgtrigger.Trigger:
    """What is received was in the hands of somebody who neither dispatched the load nor turned it back.

    Asked once for each person and outcome of a statement, however many lines it writes.
    """
    return pgtrigger.Trigger(
        name="line_is_received_by_the_other_side",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(new="changed"),
        func="""
            IF EXISTS (
                SELECT FROM (SELECT DISTINCT handover_id, outcome, scanned_by_id FROM changed) c
                JOIN ledger_handover h ON h.id = c.handover_id
                WHERE (c.outcome = 'later' OR c.outcome = 'received' AND h.state IN ('dispatched', 'returning'))
                    AND (c.scanned_by_id IS NULL OR c.scanned_by_id IN (h.dispatched_by_id, h.turned_by_id))
            ) THEN
                RAISE EXCEPTION 'what is received was in hand of somebody who did not send it'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'line_is_received_by_the_other_side';
            END IF;
            RETURN NULL;
        """,
    )


def signature_is_of_who_acted() -> pgtrigger.Trigger:
    """The sender's signature is that of who dispatched, the receiver's that of who accepted."""
    return pgtrigger.Trigger(
        name="signature_is_of_who_acted",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NOT EXISTS (
                SELECT FROM ledger_handover h WHERE h.id = NEW.handover_id AND CASE NEW.side
                    WHEN 'sender' THEN h.dispatched_by_id = NEW.signed_by_id
                    ELSE h.state IN ('accepted', 'returned') AND h.closed_by_id = NEW.signed_by_id END
            ) THEN
                RAISE EXCEPTION 'hand-over % is signed by who acted', NEW.handover_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'signature_is_of_who_acted';
            END IF;
            RETURN NEW;
        """,
    )


def line_was_dispatched() -> pgtrigger.Trigger:
    """A line is of an item that its hand-over sent on its way; asked of a whole set of lines at once."""
    return pgtrigger.Trigger(
        name="line_was_dispatched",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="added"),
        func="""
            -- Of each hand-over its own postings are read once, by its movement: never those of the whole register.
            -- Nothing is received as it sets out.
            IF EXISTS (SELECT FROM added WHERE outcome <> 'pending' OR scanned_by_id IS NOT NULL) OR EXISTS (
                SELECT handover_id, item_id FROM added
                EXCEPT
                SELECT h.id, p.item_id FROM (SELECT DISTINCT handover_id FROM added) d
                JOIN ledger_handover h ON h.id = d.handover_id
                CROSS JOIN LATERAL (
                    SELECT * FROM ledger_posting WHERE movement_id = h.dispatch_movement_id OFFSET 0
                ) p
                WHERE p.account_id = h.transit_id AND p.pieces > 0
            ) OR EXISTS (
                SELECT FROM (SELECT DISTINCT box_id FROM added WHERE box_id IS NOT NULL) l
                WHERE NOT EXISTS (SELECT FROM ledger_box b WHERE b.id = l.box_id)
            ) THEN
                RAISE EXCEPTION 'a line is of an item that its hand-over sent'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'line_was_dispatched';
            END IF;
            RETURN NULL;
        """,
    )


def waybill_is_whole() -> pgtrigger.Trigger:
    """A load that sets out has somebody who carries it and a moment when it should arrive."""
    return pgtrigger.Trigger(
        name="waybill_is_whole",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.state <> 'dispatched' OR NEW.expected_at IS NULL OR NEW.due_at IS DISTINCT FROM NEW.expected_at
                OR NEW.expected_at <= NEW.dispatched_at THEN
                RAISE EXCEPTION 'a waybill says when the goods arrive, after they set out'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'waybill_says_when_it_arrives';
            END IF;
            IF NEW.carried_by = '' AND (NEW.vehicle = '' OR NEW.driver = '') THEN
                RAISE EXCEPTION 'a waybill names the vehicle and its driver, or who carries the goods by hand'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'waybill_names_who_carries';
            END IF;
            RETURN NEW;
        """,
    )


def handover_goes_its_way() -> pgtrigger.Trigger:
    """A load is accepted, or turned back and counted where it came from; nothing is back without being counted.

    Who dispatched it does not turn it back once the other side has had something of it in hand.
    """
    return pgtrigger.Trigger(
        name="handover_goes_its_way",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
        func="""
            IF (OLD.state, NEW.state) NOT IN (
                ('dispatched', 'accepted'), ('dispatched', 'returning'), ('returning', 'returned')
            ) THEN
                RAISE EXCEPTION 'hand-over % does not go from % to %', OLD.number, OLD.state, NEW.state
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'handover_goes_its_way';
            END IF;
            IF NEW.state = 'returning' AND NEW.turned_by_id = OLD.dispatched_by_id AND EXISTS (
                SELECT FROM ledger_handoverline
                WHERE handover_id = OLD.id AND (scanned_at IS NOT NULL OR seen_at IS NOT NULL OR weighed_at IS NOT NULL)
            ) THEN
                RAISE EXCEPTION 'hand-over % is being received already', OLD.number
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'no_turning_back_after_a_scan';
            END IF;
            RETURN NEW;
        """,
    )


def missing_on_the_way_is_settled() -> pgtrigger.Trigger:
    """What is missing on the way is held until it is somewhere else: found and taken in, or written off."""
    return pgtrigger.Trigger(
        name="missing_on_the_way_is_settled",
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Q(new__kind="in_transit") & pgtrigger.Q(new__lifted_at__isnull=False),
        func="""
            IF EXISTS (
                SELECT FROM ledger_holding h JOIN ledger_custodyaccount a ON a.id = h.account_id
                WHERE h.item_id = NEW.item_id AND h.pieces > 0 AND a.kind = 'transit'
            ) THEN
                RAISE EXCEPTION 'item % is still missing on the way', NEW.item_id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'missing_on_the_way_is_settled';
            END IF;
            RETURN NULL;
        """,
    )


def _astray(postings: str, ways: Sequence[tuple[str, str, str]]) -> str:
    """SQL: what a set of postings names that does not exist, or where it goes though its kind of movement does not.

    A movement is asked once for each account that it takes from and each that it gives to, however many its items are.
    A transfer is between the stores of one keeper in one region: farther goods go by a hand-over.
    """
    allowed = ", ".join(f"('{kind}', '{source}', '{target}')" for kind, source, target in ways)
    return f"""
            WITH side AS MATERIALIZED (
                SELECT p.*, m.id IS NOT NULL AND a.id IS NOT NULL AS is_there, m.kind, a.kind AS place,
                    a.custodian_id AS keeper, a.region_id AS region
                FROM (
                    SELECT movement_id, account_id, bool_or(pieces < 0 OR grams < 0) AS loses,
                        bool_or(pieces > 0 OR grams > 0) AS gains
                    FROM {postings} GROUP BY movement_id, account_id
                ) p
                LEFT JOIN ledger_movement m ON m.id = p.movement_id
                LEFT JOIN ledger_custodyaccount a ON a.id = p.account_id
            )
            SELECT why INTO wrong FROM (
                SELECT format('posting_references: a posting names what does not exist: movement %s, account %s',
                    movement_id, account_id) AS why
                FROM side WHERE NOT is_there
                UNION ALL
                SELECT format('movement_goes_its_way: movement %s, %s, does not go from %s to %s',
                    s.movement_id, s.kind, s.place, t.place)
                FROM side s JOIN side t USING (movement_id)
                WHERE s.loses AND t.gains AND s.account_id <> t.account_id AND s.kind <> 'reversal'
                    AND ((s.kind, s.place, t.place) NOT IN ({allowed})
                        OR s.kind = 'transfer' AND (s.keeper, s.region) IS DISTINCT FROM (t.keeper, t.region))
            ) astray LIMIT 1;
            IF wrong LIKE 'posting_references%' THEN
                RAISE EXCEPTION '%', wrong USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_references';
            ELSIF wrong IS NOT NULL THEN
                RAISE EXCEPTION '%', wrong USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_goes_its_way';
            END IF;
    """  # noqa: S608  kinds of the registry itself


# SQL: postings that did not take their holding along as they went.
_REST = """(
                    SELECT * FROM posted WHERE NOT EXISTS (SELECT FROM unnest(gone) AS g (posting) WHERE posting = id)
                )"""


def posting_keeps_holdings(ways: Sequence[tuple[str, str, str]]) -> pgtrigger.Trigger:
    """Check what a set of postings may do, then keep holdings and totals by it: a fixed number of statements.

    `ways`: which kind of movement goes from which kind of account to which (`ledger.models.movements.WAYS`).
    Rows are locked in the order of the whole system: holdings by item, then totals by account and class.
    Negative changes come before positive ones, so that an item leaves its place before it arrives at another.
    """
    return pgtrigger.Trigger(
        name="posting_keeps_holdings",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="posted"),
        declare=[
            ("wrong", "text"),
            ("this_transaction", "bigint"),
            ("one_sided", "bigint[]"),
            ("gone", "bigint[]"),
            ("sign", "integer"),
        ],
        func="""
            this_transaction := pg_current_xact_id()::text::bigint;

            SELECT min(m.id)::text INTO wrong FROM (SELECT DISTINCT movement_id FROM posted) p
            JOIN ledger_movement m ON m.id = p.movement_id WHERE m.transaction <> this_transaction;
            IF wrong IS NOT NULL THEN
                RAISE EXCEPTION 'movement % was made in another transaction and takes no more postings', wrong
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_belong_to_new_movement';
            END IF;

ASTRAY_POSTED
            -- What goes whole from one physical place to another, as nearly everything does, takes its row along, when
            -- nothing speaks against it. What speaks against the rest is asked below.
            WITH went AS (
                UPDATE ledger_holding h
                SET account_id = w.target, stock_class = w.stock_class, moved_on = w.effective_on
                FROM (
                    SELECT p.*, EXISTS (
                        SELECT FROM ledger_hold k WHERE k.item_id = p.item_id AND k.lifted_at IS NULL
                    ) AS is_held, coalesce((
                        SELECT r.reference FROM ledger_reservation r
                        WHERE r.item_id = p.item_id AND r.released_at IS NULL
                    ), '') AS promised
                    FROM (
                        SELECT p.item_id, min(p.id) AS one, max(p.id) AS other, max(p.pieces) AS pieces,
                            max(p.grams) AS grams, max(m.effective_on) AS effective_on, max(m.under) AS under,
                            max(p.account_id) FILTER (WHERE p.pieces < 0) AS source,
                            max(p.account_id) FILTER (WHERE p.pieces > 0) AS target,
                            max(p.stock_class) FILTER (WHERE p.pieces < 0) AS former_class,
                            max(p.stock_class) FILTER (WHERE p.pieces > 0) AS stock_class
                        FROM posted p
                        JOIN ledger_movement m ON m.id = p.movement_id AND m.kind <> 'weighing'
                        JOIN ledger_custodyaccount a ON a.id = p.account_id AND a.is_physical
                        GROUP BY p.item_id, p.movement_id
                        -- Two that sum to nothing: the least is the negative of the greatest.
                        HAVING count(*) = 2 AND min(p.pieces) < 0 AND min(p.pieces) = -max(p.pieces)
                            AND min(p.grams) = -max(p.grams)
                        ORDER BY p.item_id
                    ) p
                ) w
                WHERE h.account_id = w.source AND h.item_id = w.item_id
                    -- No index is asked for the class: that of the place finds the row.
                    AND h.stock_class IS NOT DISTINCT FROM w.former_class
                    AND h.pieces = w.pieces AND h.grams = w.grams AND h.moved_on <= w.effective_on
                    AND NOT w.is_held AND w.promised = w.under
                RETURNING w.one, w.other
            )
            SELECT coalesce(array_agg(one) || array_agg(other), '{}') INTO gone FROM went;

            IF cardinality(gone) < (SELECT count(*) FROM posted) THEN
                -- The deferred balance check may have run already; then nothing one-sided may follow.
                SELECT array_agg(DISTINCT movement_id) INTO one_sided FROM (
                    SELECT movement_id FROM REST_POSTED rest GROUP BY movement_id, item_id
                    HAVING sum(pieces) <> 0 OR sum(grams) <> 0
                ) side;
                IF one_sided IS NOT NULL THEN
                    SELECT min(p.id)::text INTO wrong FROM unnest(one_sided) AS p (id)
                    WHERE EXISTS (
                        SELECT FROM ledger_posting e WHERE e.movement_id = p.id
                        AND NOT EXISTS (SELECT FROM posted n WHERE n.id = e.id)
                    ) AND NOT EXISTS (
                        SELECT FROM ledger_posting e WHERE e.movement_id = p.id
                        AND NOT EXISTS (SELECT FROM posted n WHERE n.id = e.id)
                        GROUP BY e.item_id HAVING sum(e.pieces) <> 0 OR sum(e.grams) <> 0
                    );
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION 'movement % balances already and takes no one-sided posting', wrong
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_balances';
                    END IF;
                    -- The other side may have come by an earlier statement.
ASTRAY_WHOLE
                END IF;

                -- What leaves a physical place: of the right class, not held, not promised elsewhere, not before it
                -- came. What leaves a boundary must exist; by the balance, whatever arrives has left somewhere.
                SELECT format('%s of item %s', why, item_id) INTO wrong FROM (
                    SELECT p.item_id, CASE
                        WHEN NOT a.is_physical THEN CASE
                            WHEN NOT EXISTS (SELECT FROM ledger_item i WHERE i.id = p.item_id) THEN 'posting_references'
                        END
                        WHEN h.item_id IS NULL THEN 'physical_holding_not_negative'
                        WHEN h.stock_class <> p.stock_class THEN 'posting_keeps_stock_class'
                        WHEN h.moved_on > m.effective_on THEN 'movement_not_before_arrival'
                        WHEN (p.pieces = 0) <> (m.kind = 'weighing') AND m.kind <> 'reversal'
                            THEN 'only_a_weighing_moves_grams_alone'
                        -- A weighing, or its correction, is of grams only and leaves the item where it is.
                        WHEN p.pieces = 0 THEN NULL
                        WHEN -p.pieces < h.pieces OR -p.grams < h.grams THEN 'items_move_whole'
                        WHEN EXISTS (SELECT FROM ledger_hold k WHERE k.item_id = p.item_id AND k.lifted_at IS NULL)
                            THEN 'held_item_does_not_move'
                        WHEN coalesce(r.reference, '') <> m.under THEN 'reserved_item_moves_under_its_right'
                    END AS why
                    FROM REST_POSTED p
                    JOIN ledger_movement m ON m.id = p.movement_id
                    JOIN ledger_custodyaccount a ON a.id = p.account_id
                    LEFT JOIN ledger_holding h
                        ON a.is_physical AND h.account_id = p.account_id AND h.item_id = p.item_id
                    LEFT JOIN ledger_reservation r
                        ON a.is_physical AND r.item_id = p.item_id AND r.released_at IS NULL
                    WHERE p.pieces < 0 OR p.grams < 0 OR p.pieces = 0
                ) checked WHERE why IS NOT NULL ORDER BY item_id LIMIT 1;
                IF wrong IS NOT NULL THEN
                    RAISE EXCEPTION '%', wrong
                        USING ERRCODE = 'check_violation', CONSTRAINT = split_part(wrong, ' ', 1);
                END IF;

                -- In the order of items, so that rows and index entries are written side by side.
                FOREACH sign IN ARRAY '{0, 1}'::integer[] LOOP
                    MERGE INTO ledger_holding h USING (
                        SELECT p.account_id, p.item_id, a.is_physical, p.pieces, p.grams, p.moved_on, p.stock_class
                        FROM (
                            SELECT o.account_id, o.item_id, sum(o.pieces) AS pieces, sum(o.grams) AS grams,
                                max(m.effective_on) AS moved_on,
                                coalesce(max(o.stock_class) FILTER (WHERE o.pieces > 0), max(o.stock_class))
                                    AS stock_class
                            FROM REST_POSTED o
                            JOIN ledger_movement m ON m.id = o.movement_id
                            GROUP BY o.item_id, o.account_id
                            HAVING (sum(o.pieces) > 0 OR (sum(o.pieces) = 0 AND sum(o.grams) >= 0)) = (sign = 1)
                        ) p
                        JOIN ledger_custodyaccount a ON a.id = p.account_id
                        ORDER BY p.item_id
                    ) d ON h.account_id = d.account_id AND h.item_id = d.item_id
                    WHEN MATCHED AND h.pieces + d.pieces = 0 AND h.grams + d.grams = 0 THEN DELETE
                    WHEN MATCHED THEN UPDATE SET pieces = h.pieces + d.pieces, grams = h.grams + d.grams,
                        stock_class = d.stock_class, moved_on = greatest(h.moved_on, d.moved_on)
                    WHEN NOT MATCHED THEN
                        INSERT (account_id, item_id, stock_class, is_physical, pieces, grams, moved_on)
                        VALUES (d.account_id, d.item_id, d.stock_class, d.is_physical, d.pieces, d.grams, d.moved_on);
                END LOOP;
            END IF;

            INSERT INTO ledger_accounttotal (account_id, stock_class, is_physical, pieces, grams)
            SELECT DISTINCT p.account_id, p.stock_class, a.is_physical, 0, 0
            FROM posted p JOIN ledger_custodyaccount a ON a.id = p.account_id
            WHERE NOT EXISTS (
                SELECT FROM ledger_accounttotal o WHERE o.account_id = p.account_id AND o.stock_class = p.stock_class
            )
            ORDER BY p.account_id, p.stock_class
            ON CONFLICT (account_id, stock_class) DO NOTHING;
            PERFORM FROM ledger_accounttotal t
            WHERE (t.account_id, t.stock_class) IN (SELECT p.account_id, p.stock_class FROM posted p)
            ORDER BY t.account_id, t.stock_class FOR NO KEY UPDATE;
            UPDATE ledger_accounttotal t SET pieces = t.pieces + d.pieces, grams = t.grams + d.grams
            FROM (SELECT account_id, stock_class, sum(pieces) AS pieces, sum(grams) AS grams
                  FROM posted GROUP BY account_id, stock_class) d
            WHERE t.account_id = d.account_id AND t.stock_class = d.stock_class;
            RETURN NULL;
        """.replace("ASTRAY_POSTED", _astray("posted", ways))
        .replace("REST_POSTED", _REST)
        .replace(
            "ASTRAY_WHOLE",
            _astray("(SELECT * FROM ledger_posting WHERE movement_id = ANY (one_sided) OFFSET 0) whole", ways),
        ),
    )
