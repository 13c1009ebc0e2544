"""Holds stay as they were placed; the class of an item changes by a decision only."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0008_weighing"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="movement",
            name="movement_balances",
        ),
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("evidence", "Evidence in a case"),
                    ("court", "Court order"),
                    ("dispute", "Dispute"),
                    ("missing", "Missing in a stock-take"),
                    ("loss", "Reported lost or stolen"),
                    ("to_destroy", "To be destroyed"),
                ],
                max_length=10,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="hold_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="73d42b87985c6595df08b1254c360dc4e3e120dd",
                    operation="UPDATE",
                    pgid="pgtrigger_hold_is_fixed_1aba8",
                    table="ledger_hold",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="hold_lifted_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."lifted_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="df7b35e8c5d7a0b329eb1722a7aad814518b6787",
                    operation="UPDATE",
                    pgid="pgtrigger_hold_lifted_for_good_e9bbd",
                    table="ledger_hold",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="movement",
            trigger=pgtrigger.compiler.Trigger(
                name="movement_balances",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    declare="DECLARE wrong text;",
                    func="\n            IF NOT EXISTS (SELECT FROM ledger_posting WHERE movement_id = NEW.id) THEN\n                RAISE EXCEPTION 'movement % has no postings', NEW.id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_has_postings';\n            END IF;\n            -- OFFSET 0 keeps the planner on the index of movements, whatever it believes of a young table.\n            SELECT CASE WHEN sum(pieces) <> 0 OR sum(grams) <> 0 THEN 'movement_balances'\n                ELSE 'only_a_decision_changes_the_class' END INTO wrong\n            FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p\n            GROUP BY item_id HAVING sum(pieces) <> 0 OR sum(grams) <> 0\n                OR NEW.kind NOT IN ('decision', 'reversal') AND min(stock_class) <> max(stock_class)\n            LIMIT 1;\n            IF wrong = 'movement_balances' THEN\n                RAISE EXCEPTION 'movement % does not balance', NEW.id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_balances';\n            ELSIF wrong IS NOT NULL THEN\n                RAISE EXCEPTION 'movement % makes another kind of stock of an item', NEW.id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'only_a_decision_changes_the_class';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="45123290518c1cfe798426d77b962583c090e8ac",
                    operation="INSERT",
                    pgid="pgtrigger_movement_balances_bc752",
                    table="ledger_movement",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
