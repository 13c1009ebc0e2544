"""Hand-overs of ten thousand: lines are checked as one set, holdings are written in the order of items."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0010_boundaries_of_origins"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="posting",
            name="posting_keeps_holdings",
        ),
        migrations.AlterField(
            model_name="handoverline",
            name="box",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.box",
            ),
        ),
        migrations.AlterField(
            model_name="handoverline",
            name="handover",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="ledger.handover",
            ),
        ),
        migrations.AlterField(
            model_name="handoverline",
            name="item",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="handover_lines",
                to="ledger.item",
            ),
        ),
        migrations.AlterField(
            model_name="handoverline",
            name="scanned_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="handoverline",
            name="weighed_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverline",
            trigger=pgtrigger.compiler.Trigger(
                name="handover_line_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."handover_id" IS DISTINCT FROM (NEW."handover_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."box_id" IS DISTINCT FROM (NEW."box_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="8c03290bd113a03b95e275f9482e94e2afaf2e72",
                    operation="UPDATE",
                    pgid="pgtrigger_handover_line_is_fixed_6d9f8",
                    table="ledger_handoverline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverline",
            trigger=pgtrigger.compiler.Trigger(
                name="line_was_dispatched",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                SELECT FROM added l LEFT JOIN ledger_handover h ON h.id = l.handover_id\n                WHERE NOT EXISTS (\n                    SELECT FROM ledger_posting p\n                    WHERE p.movement_id = h.dispatch_movement_id AND p.account_id = h.transit_id\n                      AND p.item_id = l.item_id AND p.pieces > 0\n                ) OR (l.box_id IS NOT NULL AND NOT EXISTS (SELECT FROM ledger_box b WHERE b.id = l.box_id))\n            ) THEN\n                RAISE EXCEPTION 'a line is of an item that its hand-over sent'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'line_was_dispatched';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="4f51f685ed9fdcf93696ebd9b36e9c1a58030414",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_line_was_dispatched_385aa",
                    referencing="REFERENCING NEW TABLE AS added ",
                    table="ledger_handoverline",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="posting",
            trigger=pgtrigger.compiler.Trigger(
                name="posting_keeps_holdings",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE wrong text; this_transaction bigint;",
                    func="\n            this_transaction := pg_current_xact_id()::text::bigint;\n\n            SELECT min(m.id)::text INTO wrong FROM (SELECT DISTINCT movement_id FROM posted) p\n            JOIN ledger_movement m ON m.id = p.movement_id WHERE m.transaction <> this_transaction;\n            IF wrong IS NOT NULL THEN\n                RAISE EXCEPTION 'movement % was made in another transaction and takes no more postings', wrong\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'postings_belong_to_new_movement';\n            END IF;\n\n            SELECT format('movement %s, account %s', p.movement_id, p.account_id) INTO wrong\n            FROM (SELECT DISTINCT movement_id, account_id FROM posted) p\n            LEFT JOIN ledger_movement m ON m.id = p.movement_id\n            LEFT JOIN ledger_custodyaccount a ON a.id = p.account_id\n            WHERE m.id IS NULL OR a.id IS NULL LIMIT 1;\n            IF wrong IS NOT NULL THEN\n                RAISE EXCEPTION 'a posting names what does not exist: %', wrong\n                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'posting_references';\n            END IF;\n\n            -- The deferred balance check may have run already; then nothing one-sided may follow.\n            SELECT min(p.movement_id)::text INTO wrong FROM (\n                SELECT DISTINCT movement_id FROM (\n                    SELECT movement_id FROM posted GROUP BY movement_id, item_id\n                    HAVING sum(pieces) <> 0 OR sum(grams) <> 0\n                ) one_sided\n            ) p\n            WHERE EXISTS (\n                SELECT FROM ledger_posting e WHERE e.movement_id = p.movement_id\n                AND NOT EXISTS (SELECT FROM posted n WHERE n.id = e.id)\n            ) AND NOT EXISTS (\n                SELECT FROM ledger_posting e WHERE e.movement_id = p.movement_id\n                AND NOT EXISTS (SELECT FROM posted n WHERE n.id = e.id)\n                GROUP BY e.item_id HAVING sum(e.pieces) <> 0 OR sum(e.grams) <> 0\n            );\n            IF wrong IS NOT NULL THEN\n                RAISE EXCEPTION 'movement % balances already and takes no one-sided posting', wrong\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_balances';\n            END IF;\n\n            -- What leaves a physical place: of the right class, not held, not promised elsewhere, not before it came.\n            -- What leaves a boundary must exist; by the balance, whatever arrives has left somewhere.\n            SELECT format('%s of item %s', why, item_id) INTO wrong FROM (\n                SELECT p.item_id, CASE\n                    WHEN NOT a.is_physical THEN CASE\n                        WHEN NOT EXISTS (SELECT FROM ledger_item i WHERE i.id = p.item_id) THEN 'posting_references'\n                    END\n                    WHEN h.item_id IS NULL THEN 'physical_holding_not_negative'\n                    WHEN h.stock_class <> p.stock_class THEN 'posting_keeps_stock_class'\n                    WHEN h.moved_on > m.effective_on THEN 'movement_not_before_arrival'\n                    -- A weighing, or its correction, is of grams only and leaves the item where it is.\n                    WHEN p.pieces = 0 AND m.kind IN ('weighing', 'reversal') THEN NULL\n                    WHEN EXISTS (SELECT FROM ledger_hold k WHERE k.item_id = p.item_id AND k.lifted_at IS NULL)\n                        THEN 'held_item_does_not_move'\n                    WHEN coalesce(r.reference, '') <> m.under THEN 'reserved_item_moves_under_its_right'\n                END AS why\n                FROM posted p\n                JOIN ledger_movement m ON m.id = p.movement_id\n                JOIN ledger_custodyaccount a ON a.id = p.account_id\n                LEFT JOIN ledger_holding h ON a.is_physical AND h.account_id = p.account_id AND h.item_id = p.item_id\n                LEFT JOIN ledger_reservation r\n                    ON a.is_physical AND r.item_id = p.item_id AND r.released_at IS NULL\n                WHERE p.pieces < 0 OR p.grams < 0 OR p.pieces = 0\n            ) checked WHERE why IS NOT NULL ORDER BY item_id LIMIT 1;\n            IF wrong IS NOT NULL THEN\n                RAISE EXCEPTION '%', wrong\n                    USING ERRCODE = 'check_violation', CONSTRAINT = split_part(wrong, ' ', 1);\n            END IF;\n\n            -- In the order of items, so that rows and index entries are written side by side.\n            FOR sign IN 0..1 LOOP\n                MERGE INTO ledger_holding h USING (\n                    SELECT p.account_id, p.item_id, a.is_physical, p.pieces, p.grams, p.moved_on, p.stock_class\n                    FROM (\n                        SELECT o.account_id, o.item_id, sum(o.pieces) AS pieces, sum(o.grams) AS grams,\n                            max(m.effective_on) AS moved_on,\n                            coalesce(max(o.stock_class) FILTER (WHERE o.pieces > 0), max(o.stock_class)) AS stock_class\n                        FROM (SELECT * FROM posted ORDER BY item_id, account_id) o\n                        JOIN ledger_movement m ON m.id = o.movement_id\n                        GROUP BY o.item_id, o.account_id\n                        HAVING (sum(o.pieces) > 0 OR (sum(o.pieces) = 0 AND sum(o.grams) >= 0)) = (sign = 1)\n                    ) p\n                    JOIN ledger_custodyaccount a ON a.id = p.account_id\n                    ORDER BY p.item_id\n                ) d ON h.account_id = d.account_id AND h.item_id = d.item_id\n                WHEN MATCHED AND h.pieces + d.pieces = 0 AND h.grams + d.grams = 0 THEN DELETE\n                WHEN MATCHED THEN UPDATE SET pieces = h.pieces + d.pieces, grams = h.grams + d.grams,\n                    stock_class = d.stock_class, moved_on = greatest(h.moved_on, d.moved_on)\n                WHEN NOT MATCHED THEN\n                    INSERT (account_id, item_id, stock_class, is_physical, pieces, grams, moved_on)\n                    VALUES (d.account_id, d.item_id, d.stock_class, d.is_physical, d.pieces, d.grams, d.moved_on);\n            END LOOP;\n\n            INSERT INTO ledger_accounttotal (account_id, stock_class, is_physical, pieces, grams)\n            SELECT DISTINCT p.account_id, p.stock_class, a.is_physical, 0, 0\n            FROM posted p JOIN ledger_custodyaccount a ON a.id = p.account_id\n            WHERE NOT EXISTS (\n                SELECT FROM ledger_accounttotal o WHERE o.account_id = p.account_id AND o.stock_class = p.stock_class\n            )\n            ORDER BY p.account_id, p.stock_class\n            ON CONFLICT (account_id, stock_class) DO NOTHING;\n            PERFORM FROM ledger_accounttotal t\n            WHERE (t.account_id, t.stock_class) IN (SELECT p.account_id, p.stock_class FROM posted p)\n            ORDER BY t.account_id, t.stock_class FOR NO KEY UPDATE;\n            UPDATE ledger_accounttotal t SET pieces = t.pieces + d.pieces, grams = t.grams + d.grams\n            FROM (SELECT account_id, stock_class, sum(pieces) AS pieces, sum(grams) AS grams\n                  FROM posted GROUP BY account_id, stock_class) d\n            WHERE t.account_id = d.account_id AND t.stock_class = d.stock_class;\n            RETURN NULL;\n        ",
                    hash="119c7e49237cb3bd1027c0c52cc785f9a3c4eb7a",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_posting_keeps_holdings_77d55",
                    referencing="REFERENCING NEW TABLE AS posted ",
                    table="ledger_posting",
                    when="AFTER",
                ),
            ),
        ),
    ]
