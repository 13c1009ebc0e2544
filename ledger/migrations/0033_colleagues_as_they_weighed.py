import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0032_goods_to_be_confirmed"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="hold",
            name="mass_is_settled_by_scale_or_authority",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="hold",
            trigger=pgtrigger.compiler.Trigger(
                name="mass_is_settled_by_scale_or_authority",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."kind" = \'mass\' AND NEW."lifted_at" IS NOT NULL AND OLD."lifted_at" IS NULL)',
                    func="\n            IF (NOT EXISTS (\n                SELECT FROM ledger_weighing asked\n                JOIN ledger_weighin l ON l.item_id = NEW.item_id AND l.weighing_id > asked.id AND l.is_taken\n                JOIN ledger_weighing w ON w.id = l.weighing_id AND w.weighed_by_id = NEW.lifted_by_id\n                WHERE asked.number = NEW.reference\n            ) OR EXISTS (\n                SELECT FROM (SELECT NEW.item_id) k JOIN ledger_weighing asked ON asked.number = NEW.reference\n                \n                JOIN ledger_weighin l ON l.item_id = k.item_id AND l.weighing_id > asked.id\n                    AND l.is_taken AND l.verdict <> 'dry'\n                JOIN ledger_weighing w ON w.id = l.weighing_id\n                JOIN ledger_weighin other ON other.id = l.bears_out_id\n                JOIN ledger_weighing ow ON ow.id = other.weighing_id\n                JOIN accounts_appointment a ON a.user_id = w.weighed_by_id\n                    AND (w.weighed_at AT TIME ZONE 'Asia/Almaty')::date\n                        BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')\n                    AND w.weighed_at < coalesce(a.ended_at, 'infinity')\n                JOIN accounts_appointment b ON b.organisation_id = a.organisation_id AND b.user_id = ow.weighed_by_id\n                    AND (ow.weighed_at AT TIME ZONE 'Asia/Almaty')::date\n                        BETWEEN b.valid_from AND coalesce(b.valid_until, 'infinity')\n                    AND ow.weighed_at < coalesce(b.ended_at, 'infinity')\n\n            )) AND NOT EXISTS (\n                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id\n                WHERE a.user_id = NEW.lifted_by_id AND a.ended_at IS NULL AND o.is_active\n                    AND (NEW.lifted_at AT TIME ZONE 'Asia/Almaty')::date\n                        BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')\n                    AND a.role IN ('authority_officer', 'authority_head')\n            ) THEN\n                RAISE EXCEPTION 'the mass of item % is settled by a weighing or by the authority', NEW.item_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'mass_is_settled_by_scale_or_authority';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="ebc965f3df59722749c2e41e009ef66c67fe3ddf",
                    operation="UPDATE",
                    pgid="pgtrigger_mass_is_settled_by_scale_or_authority_46118",
                    table="ledger_hold",
                    when="BEFORE",
                ),
            ),
        ),
    ]
