"""What the database itself refuses about boxes, pallets and shelves. Each trigger names the invariant it guards."""

import pgtrigger


def box_follows_its_content() -> pgtrigger.Trigger:
    """A box goes to another account only with a posting; it stands on an open pallet of its own account.

    A box is begun empty, open, in a store or an evidence room.
    """
    return pgtrigger.Trigger(
        name="box_follows_its_content",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        declare=[("pallet", "ledger_box%ROWTYPE"), ("was", "ledger_box%ROWTYPE")],
        func="""
            IF TG_OP = 'INSERT' THEN
                IF NEW.seal_number <> '' OR NEW.parent_id IS NOT NULL OR NOT EXISTS (
                    SELECT FROM ledger_custodyaccount WHERE id = NEW.account_id AND kind IN ('store', 'evidence')
                ) THEN
                    RAISE EXCEPTION 'a box is begun open and empty in a store'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'box_is_begun_in_a_store';
                END IF;
                RETURN NEW;
            END IF;
            IF pg_trigger_depth() > 1 THEN
                RETURN NEW;
            END IF;
            IF NEW.account_id <> OLD.account_id THEN
                RAISE EXCEPTION 'box % goes where its content goes', OLD.sscc
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'box_follows_its_content';
            END IF;
            IF NEW.seal_number <> OLD.seal_number AND OLD.seal_number <> '' AND NEW.seal_number <> '' THEN
                RAISE EXCEPTION 'the seal of box % is opened before another is put on', OLD.sscc
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'box_is_sealed_once';
            END IF;
            IF NEW.parent_id IS DISTINCT FROM OLD.parent_id THEN
                IF OLD.parent_id IS NOT NULL THEN
                    SELECT * INTO was FROM ledger_box WHERE id = OLD.parent_id FOR SHARE;
                END IF;
                IF NEW.parent_id IS NOT NULL THEN
                    SELECT * INTO pallet FROM ledger_box WHERE id = NEW.parent_id FOR SHARE;
                END IF;
                IF coalesce(was.seal_number, '') <> '' OR coalesce(pallet.seal_number, '') <> '' THEN
                    RAISE EXCEPTION 'nothing goes onto or off a sealed pallet'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_is_closed';
                END IF;
                IF NEW.parent_id IS NOT NULL AND (pallet.kind <> 'pallet' OR pallet.account_id <> NEW.account_id) THEN
                    RAISE EXCEPTION 'box % stands on a pallet of its own store', OLD.sscc
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'box_and_content_in_one_account';
                END IF;
                IF NEW.parent_id IS NOT NULL THEN
                    UPDATE ledger_placement SET removed_at = now() WHERE box_id = NEW.id AND removed_at IS NULL;
                END IF;
            END IF;
            RETURN NEW;
        """,
    )


# Whoever puts a number on a box and whoever puts it on a load wait for each other, by the number.
_ONE_BY_ONE = "PERFORM pg_advisory_xact_lock(hashtext('seal:' || ledger_seal_folded({number})));"
_UNDER_WAY = """
    EXISTS (
        SELECT FROM ledger_handoverseal s JOIN ledger_handover h ON h.id = s.handover_id
        WHERE ledger_seal_folded(s.number) = ledger_seal_folded({number}) AND h.state IN ('dispatched', 'returning')
            AND {but}
    )
"""


def seal_is_used_once() -> pgtrigger.Trigger:
    """A number that was on a box once is on no box again, opened or not, however it is written."""
    return pgtrigger.Trigger(
        name="seal_is_used_once",
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        condition=pgtrigger.Q(old__seal_number="") & ~pgtrigger.Q(new__seal_number=""),
        func=f"""
            {_ONE_BY_ONE.format(number="NEW.seal_number")}
            IF {_UNDER_WAY.format(number="NEW.seal_number", but="s.box_id IS NULL")} THEN
                RAISE EXCEPTION 'seal % is on a load that is under way', NEW.seal_number
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'seal_is_used_once';
            END IF;
            INSERT INTO ledger_usedseal (number, box_id, used_by_id, used_at)
            VALUES (ledger_seal_folded(NEW.seal_number), NEW.id, NEW.sealed_by_id, NEW.sealed_at);
            RETURN NULL;
        """,  # noqa: S608  names of columns from above
    )


def seal_is_on_one_load() -> pgtrigger.Trigger:
    """A number is on one load that is under way, and never on a load when it was on a box outside it."""
    return pgtrigger.Trigger(
        name="seal_is_on_one_load",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Q(new__box__isnull=True),
        func=f"""
            {_ONE_BY_ONE.format(number="NEW.number")}
            IF ledger_seal_folded(NEW.number) <> '' AND (
                EXISTS (SELECT FROM ledger_usedseal u WHERE u.number = ledger_seal_folded(NEW.number))
                OR {_UNDER_WAY.format(number="NEW.number", but="s.handover_id <> NEW.handover_id")}
            ) THEN
                RAISE EXCEPTION 'seal % is in use elsewhere', NEW.number
                    USING ERRCODE = 'unique_violation', CONSTRAINT = 'seal_is_on_one_load';
            END IF;
            RETURN NEW;
        """,
    )


def packing_respects_box() -> list[pgtrigger.Trigger]:
    """Nothing goes into or out of a sealed box; what goes in lies in the account of the box, and leaves its shelf.

    The share lock on the box closes the race against its sealing; the holding is locked by whoever packs.
    """
    func = """
        PERFORM FROM ledger_box WHERE id IN (SELECT box_id FROM touched) ORDER BY id FOR SHARE;
        IF pg_trigger_depth() < 2 AND EXISTS (
            SELECT FROM ledger_box WHERE id IN (SELECT box_id FROM touched) AND seal_number <> ''
        ) THEN
            RAISE EXCEPTION 'nothing goes into or out of a sealed box'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_is_closed';
        END IF;
        IF EXISTS (
            SELECT FROM touched t JOIN ledger_box b ON b.id = t.box_id
            LEFT JOIN ledger_holding h ON h.item_id = t.item_id AND h.account_id = b.account_id AND h.pieces > 0
            WHERE t.taken_out_at IS NULL AND (h.item_id IS NULL OR b.kind <> 'box')
        ) THEN
            RAISE EXCEPTION 'an item is packed into a box of the account where it is'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'box_and_content_in_one_account';
        END IF;
        UPDATE ledger_placement p SET removed_at = now() FROM touched t
        WHERE t.taken_out_at IS NULL AND p.item_id = t.item_id AND p.removed_at IS NULL;
        RETURN NULL;
    """
    return [
        pgtrigger.Trigger(
            name=f"packing_respects_box_{word}",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=operation,
            referencing=pgtrigger.Referencing(new="touched"),
            func=func,
        )
        for word, operation in (("in", pgtrigger.Insert), ("out", pgtrigger.Update))
    ]


def placement_is_in_its_store() -> pgtrigger.Trigger:
    """What stands on a shelf is in the account of the shelf, and not inside a box or on a pallet."""
    return pgtrigger.Trigger(
        name="placement_is_in_its_store",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="placed"),
        func="""
            IF EXISTS (
                SELECT FROM placed p JOIN ledger_shelf s ON s.id = p.shelf_id
                LEFT JOIN ledger_holding h
                    ON h.item_id = p.item_id AND h.account_id = s.account_id AND h.pieces > 0
                LEFT JOIN ledger_packing k ON k.item_id = p.item_id AND k.taken_out_at IS NULL
                LEFT JOIN ledger_box b ON b.id = p.box_id AND b.account_id = s.account_id AND b.parent_id IS NULL
                WHERE p.removed_at IS NULL
                  AND ((p.item_id IS NOT NULL AND (h.item_id IS NULL OR k.id IS NOT NULL))
                       OR (p.box_id IS NOT NULL AND b.id IS NULL))
            ) THEN
                RAISE EXCEPTION 'what stands on a shelf is loose in the account of the shelf'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'placement_is_in_its_store';
            END IF;
            RETURN NULL;
        """,
    )


def posting_moves_boxes() -> pgtrigger.Trigger:
    """A box goes with its content and a pallet with its boxes: they and everything in them are in one account.

    What is sealed goes whole or not at all. What leaves an open box alone is taken out of it. Whoever leaves a store
    leaves its shelf. Fires after the holdings are kept, by its name; boxes are locked last, by key.
    """
    return pgtrigger.Trigger(
        name="posting_moves_boxes",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="posted"),
        declare=[
            ("touched", "bigint[]"),
            ("pallets", "bigint[]"),
            ("whole", "bigint[]"),
            ("places", "bigint[]"),
            ("rest", "bigint[]"),
            ("wrong", "text"),
        ],
        func="""
            SELECT array_agg(DISTINCT k.box_id) INTO touched
            FROM posted p JOIN ledger_custodyaccount a ON a.id = p.account_id AND a.is_physical
            JOIN ledger_packing k ON k.item_id = p.item_id AND k.taken_out_at IS NULL
            WHERE p.pieces < 0;

            IF touched IS NOT NULL THEN
                SELECT coalesce(array_agg(DISTINCT parent_id) FILTER (WHERE parent_id IS NOT NULL), '{}')
                INTO pallets FROM ledger_box WHERE id = ANY (touched);
                PERFORM FROM ledger_box WHERE id = ANY (touched || pallets) ORDER BY id FOR NO KEY UPDATE;

                -- One pass tells the boxes that went whole to one place from the rest: an item that left one place and
                -- came to one other lies there now. Grouped, not joined: ten thousand items are as many steps.
                SELECT array_agg(box_id) FILTER (WHERE place IS NOT NULL),
                    array_agg(place) FILTER (WHERE place IS NOT NULL),
                    array_agg(box_id) FILTER (WHERE place IS NULL)
                INTO whole, places, rest FROM (
                    SELECT box_id,
                        CASE WHEN count(place) = count(*) AND min(place) = max(place) THEN min(place) END AS place
                    FROM (
                        SELECT max(box_id) AS box_id, CASE
                            WHEN count(*) FILTER (WHERE pieces > 0) = 1 AND count(*) FILTER (WHERE pieces < 0) = 1
                                AND min(account_id) < max(account_id) THEN max(account_id) FILTER (WHERE pieces > 0)
                        END AS place
                        FROM (
                            SELECT item_id, box_id, NULL::bigint AS account_id, 0 AS pieces
                            FROM ledger_packing WHERE box_id = ANY (touched) AND taken_out_at IS NULL
                            UNION ALL
                            SELECT p.item_id, NULL, p.account_id, p.pieces
                            FROM posted p JOIN ledger_custodyaccount a ON a.id = p.account_id AND a.is_physical
                        ) packed_or_posted GROUP BY item_id
                    ) item WHERE box_id IS NOT NULL GROUP BY box_id
                ) box;
                UPDATE ledger_box b SET account_id = went.place FROM unnest(whole, places) AS went (box, place)
                WHERE b.id = went.box AND b.account_id <> went.place;

                IF rest IS NOT NULL THEN
                    SELECT format('sealed_box_moves_whole: box %s', min(sscc)) INTO wrong FROM (
                        SELECT b.sscc FROM ledger_box b
                        JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
                        LEFT JOIN ledger_holding h ON h.item_id = k.item_id AND h.is_physical AND h.pieces > 0
                        WHERE b.id = ANY (rest) AND b.seal_number <> ''
                        GROUP BY b.id HAVING count(DISTINCT coalesce(h.account_id, 0)) > 1
                    ) torn HAVING count(*) > 0;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION '%', wrong
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_moves_whole';
                    END IF;

                    -- Whole boxes follow their content.
                    UPDATE ledger_box b SET account_id = one.account_id FROM (
                        SELECT k.box_id, min(h.account_id) AS account_id FROM ledger_packing k
                        LEFT JOIN ledger_holding h ON h.item_id = k.item_id AND h.is_physical AND h.pieces > 0
                        WHERE k.box_id = ANY (rest) AND k.taken_out_at IS NULL
                        GROUP BY k.box_id HAVING count(DISTINCT h.account_id) = 1 AND count(h.account_id) = count(*)
                    ) one WHERE b.id = one.box_id AND b.account_id <> one.account_id;
                    -- What went without its box is taken out of it; a box whose content left the system has no seal.
                    UPDATE ledger_packing k SET taken_out_at = now() FROM ledger_box b
                    WHERE b.id = k.box_id AND b.id = ANY (rest) AND k.taken_out_at IS NULL AND NOT EXISTS (
                        SELECT FROM ledger_holding h
                        WHERE h.item_id = k.item_id AND h.account_id = b.account_id AND h.pieces > 0
                    );
                    UPDATE ledger_box b SET seal_number = '', sealed_by_id = NULL, sealed_at = NULL
                    WHERE b.id = ANY (rest) AND b.seal_number <> '' AND NOT EXISTS (
                        SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL
                    );
                END IF;

                IF pallets <> '{}' THEN
                    SELECT format('sealed_box_moves_whole: pallet %s', min(sscc)) INTO wrong FROM (
                        SELECT p.sscc FROM ledger_box p
                        JOIN ledger_box b ON b.parent_id = p.id
                        JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
                        WHERE p.id = ANY (pallets) AND p.seal_number <> ''
                        GROUP BY p.id HAVING count(DISTINCT b.account_id) > 1
                    ) torn HAVING count(*) > 0;
                    IF wrong IS NOT NULL THEN
                        RAISE EXCEPTION '%', wrong
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_moves_whole';
                    END IF;
                    UPDATE ledger_box p SET account_id = whole.account_id FROM (
                        SELECT b.parent_id, min(b.account_id) AS account_id FROM ledger_box b
                        WHERE b.parent_id = ANY (pallets)
                          AND EXISTS (SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL)
                        GROUP BY b.parent_id HAVING count(DISTINCT b.account_id) = 1
                    ) whole WHERE p.id = whole.parent_id AND p.account_id <> whole.account_id;
                    -- Empty boxes stay on their pallet; others that went without it stand on it no more.
                    UPDATE ledger_box b SET account_id = p.account_id FROM ledger_box p
                    WHERE p.id = b.parent_id AND p.id = ANY (pallets) AND b.account_id <> p.account_id
                      AND NOT EXISTS (
                          SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL
                      );
                    UPDATE ledger_box b SET parent_id = NULL FROM ledger_box p
                    WHERE p.id = b.parent_id AND p.id = ANY (pallets) AND b.account_id <> p.account_id;
                    UPDATE ledger_box p SET seal_number = '', sealed_by_id = NULL, sealed_at = NULL
                    WHERE p.id = ANY (pallets) AND p.seal_number <> '' AND NOT EXISTS (
                        SELECT FROM ledger_box b JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL
                        WHERE b.parent_id = p.id
                    );
                END IF;

                UPDATE ledger_placement l SET removed_at = now() FROM ledger_shelf s, ledger_box b
                WHERE l.box_id = ANY (touched || pallets) AND l.removed_at IS NULL
                  AND s.id = l.shelf_id AND b.id = l.box_id AND s.account_id <> b.account_id;
            END IF;

            UPDATE ledger_placement l SET removed_at = now() FROM posted p, ledger_shelf s
            WHERE p.pieces < 0 AND l.item_id = p.item_id AND l.removed_at IS NULL
              AND s.id = l.shelf_id AND s.account_id = p.account_id AND NOT EXISTS (
                SELECT FROM ledger_holding h
                WHERE h.item_id = l.item_id AND h.account_id = s.account_id AND h.pieces > 0
            );
            RETURN NULL;
        """,
    )
