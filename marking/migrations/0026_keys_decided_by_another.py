import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_roles_given_by_two"),
        ("marking", "0025_labels_are_turned_back"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="keyrequest",
            trigger=pgtrigger.compiler.Trigger(
                name="key_request_is_decided_by_another",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" = 'approved' AND OLD.\"state\" = 'asked')",
                    func="\n            IF accounts_in_one_hand(NEW.asked_by_id, NEW.decided_by_id, NEW.decided_at) THEN\n                RAISE EXCEPTION 'request % is decided by another person', NEW.id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'key_request_is_decided_by_another';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="2e244a524895894ea6b6e4bef0f6b8ba0af50430",
                    operation="UPDATE",
                    pgid="pgtrigger_key_request_is_decided_by_another_750a6",
                    table="marking_keyrequest",
                    when="BEFORE",
                ),
            ),
        ),
    ]
