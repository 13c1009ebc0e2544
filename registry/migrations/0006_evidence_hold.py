import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0005_processing"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="intake",
            name="registered_intake_is_whole",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intake",
            trigger=pgtrigger.compiler.Trigger(
                name="registered_intake_is_whole",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" = 'registered')",
                    constraint="CONSTRAINT",
                    func="\n            IF NOT EXISTS (\n                SELECT FROM registry_derivative WHERE intake_id = NEW.id\n                HAVING count(*) = NEW.pieces AND sum(mass_g) = NEW.grams\n            ) OR EXISTS (SELECT FROM registry_intakerow WHERE intake_id = NEW.id) THEN\n                RAISE EXCEPTION 'intake % is not what its derivatives say', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_whole';\n            END IF;\n            -- One look by item for each derivative, whatever the planner believes of a young table: hence the + 0.\n            IF EXISTS (\n                SELECT FROM registry_derivative d LEFT JOIN LATERAL (\n                    SELECT true AS is_there FROM ledger_posting p\n                    WHERE p.item_id = d.item_id AND p.account_id + 0 = NEW.store_id\n                    AND p.pieces = 1 AND p.grams = d.mass_g AND p.stock_class = d.term || ':' || d.origin\n                    LIMIT 1\n                ) p ON true\n                WHERE d.intake_id = NEW.id AND p.is_there IS NULL\n            ) THEN\n                RAISE EXCEPTION 'derivatives of intake % are not in its store', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registered_intake_is_in_its_store';\n            END IF;\n            IF NEW.origin = 'seizure' AND EXISTS (\n                SELECT FROM registry_derivative d WHERE d.intake_id = NEW.id AND NOT EXISTS (\n                    SELECT FROM ledger_hold h\n                    WHERE h.item_id = d.item_id AND h.kind = 'evidence'\n                )\n            ) THEN\n                RAISE EXCEPTION 'seized goods of intake % are not held as evidence', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'seized_goods_are_held';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="fa1a826abb29d9c975433b278afe5a32aab7973f",
                    operation='INSERT OR UPDATE OF "state"',
                    pgid="pgtrigger_registered_intake_is_whole_ac61e",
                    table="registry_intake",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
