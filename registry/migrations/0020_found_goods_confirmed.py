"""Found goods wait for a second person as old stock does; the confirmation is of an intake, whatever its origin."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_roles_given_by_two"),
        ("ledger", "0032_goods_to_be_confirmed"),
        ("registry", "0019_removal_to_be_judged"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger("intake", name="old_stock_is_held_until_confirmed"),
        pgtrigger.migrations.RemoveTrigger("oldstockhold", name="old_stock_is_let_go_by_its_confirmation"),
        pgtrigger.migrations.RemoveTrigger("oldstockconfirmation", name="old_stock_is_confirmed_by_another"),
        pgtrigger.migrations.RemoveTrigger("oldstockconfirmation", name="append_only"),
        pgtrigger.migrations.RemoveTrigger("oldstockconfirmation", name="no_truncate"),
        migrations.RenameModel("OldStockConfirmation", "IntakeConfirmation"),
        migrations.DeleteModel("OldStockHold"),
        migrations.CreateModel(
            name="OriginHold",
            fields=[],
            options={
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("ledger.hold",),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="find",
            trigger=pgtrigger.compiler.Trigger(
                name="find_names_its_finder",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF length(btrim(NEW.finder)) < 4 AND NEW.finder !~ '[\\u3400-\\u9fff\\uac00-\\ud7af]{2}' THEN\n                RAISE EXCEPTION 'a find names its finder'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'find_names_its_finder';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="d04b58a71bc7d5e02471a704eafda63e9ddd7bcf",
                    operation="INSERT",
                    pgid="pgtrigger_find_names_its_finder_3f18b",
                    table="registry_find",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intake",
            trigger=pgtrigger.compiler.Trigger(
                name="goods_are_held_until_confirmed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"origin\" IN ('old_stock', 'found') AND NEW.\"processing_id\" IS NULL AND NEW.\"state\" = 'registered' AND OLD.\"state\" = 'open')",
                    constraint="CONSTRAINT",
                    func="\n            IF NOT EXISTS (\n    SELECT FROM registry_oldstock s WHERE s.id = NEW.old_stock_id AND s.scan_id IS NOT NULL\n    UNION ALL SELECT FROM registry_find f WHERE f.id = NEW.find_id AND f.scan_id IS NOT NULL\n) OR EXISTS (\n                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND NOT EXISTS (\n                    SELECT FROM ledger_hold k WHERE k.item_id = d.item_id AND k.kind = 'origin'\n                )\n            ) THEN\n                RAISE EXCEPTION 'goods of intake % have no scanned paper, or are not held', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_held_until_confirmed';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c9c0502bd7dba573fc3a0d81861aac90a5f21639",
                    operation="UPDATE",
                    pgid="pgtrigger_goods_are_held_until_confirmed_d1b2d",
                    table="registry_intake",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intakeconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="cefa5dd56700a8f6cd86b06f09a7e4bbaad334c6",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_874b5",
                    table="registry_intakeconfirmation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intakeconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="b9999df9cb987e8ee34d1b8de11bac6976ac8090",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_eb572",
                    table="registry_intakeconfirmation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intakeconfirmation",
            trigger=pgtrigger.compiler.Trigger(
                name="goods_are_confirmed_by_another",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NOT EXISTS (\n                SELECT FROM registry_intake i\n                JOIN ledger_custodyaccount c ON c.id = i.store_id\n                JOIN accounts_appointment a ON a.user_id = NEW.confirmed_by_id\n                JOIN accounts_organisation o ON o.id = a.organisation_id\n                WHERE i.id = NEW.intake_id AND i.state = 'registered' AND EXISTS (\n    SELECT FROM registry_oldstock s WHERE s.id = i.old_stock_id AND s.scan_id IS NOT NULL\n    UNION ALL SELECT FROM registry_find f WHERE f.id = i.find_id AND f.scan_id IS NOT NULL\n)\n                AND NEW.confirmed_by_id NOT IN (i.opened_by_id, i.closed_by_id)\n                AND NOT accounts_in_one_hand(NEW.confirmed_by_id, i.opened_by_id, NEW.confirmed_at)\n                AND NOT accounts_in_one_hand(NEW.confirmed_by_id, i.closed_by_id, NEW.confirmed_at)\n                AND a.organisation_id IS DISTINCT FROM c.custodian_id AND a.ended_at IS NULL AND o.is_active\n                AND coalesce(a.valid_until, 'infinity') >= (NEW.confirmed_at AT TIME ZONE 'Asia/Almaty')::date\n                AND (a.role IN ('authority_officer', 'authority_head') OR a.role = 'inspector' AND o.kind IN ('inspectorate', 'ministry'))\n            ) THEN\n                RAISE EXCEPTION 'goods of intake % are confirmed by somebody else', NEW.intake_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_confirmed_by_another';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="bd07ae6aed724fa6b76600d51704e758e2f95f9c",
                    operation="INSERT",
                    pgid="pgtrigger_goods_are_confirmed_by_another_8af5d",
                    table="registry_intakeconfirmation",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="originhold",
            trigger=pgtrigger.compiler.Trigger(
                name="goods_are_let_go_by_their_confirmation",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."kind" = \'origin\' AND NEW."lifted_at" IS NOT NULL AND OLD."lifted_at" IS NULL)',
                    func="\n            IF NOT EXISTS (\n                SELECT FROM registry_derivative d JOIN registry_intakeconfirmation y ON y.intake_id = d.intake_id\n                WHERE d.item_id = NEW.item_id AND y.confirmed_by_id = NEW.lifted_by_id\n            ) AND NOT EXISTS (\n                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id\n                WHERE a.user_id = NEW.lifted_by_id AND a.ended_at IS NULL AND o.is_active\n                AND coalesce(a.valid_until, 'infinity') >= (NEW.lifted_at AT TIME ZONE 'Asia/Almaty')::date\n                AND a.role IN ('authority_officer', 'authority_head')\n            ) THEN\n                RAISE EXCEPTION 'item % waits for a second person', NEW.item_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_are_let_go_by_their_confirmation';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="99c781b54695c86fbaaa032a2d4ec7d17daa9d67",
                    operation="UPDATE",
                    pgid="pgtrigger_goods_are_let_go_by_their_confirmation_89d91",
                    table="ledger_hold",
                    when="BEFORE",
                ),
            ),
        ),
    ]
