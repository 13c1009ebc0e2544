import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("marking", "0028_keys_decided_at_a_true_moment"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="labels_are_received_where_they_arrive",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" IN ('received', 'returned'))",
                    declare="DECLARE on_day date;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN\n                RETURN NEW;\n            END IF;\n            on_day := (least(NEW.received_at, now()) AT TIME ZONE 'Asia/Almaty')::date;\n            IF NOT EXISTS (\n                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id\n                JOIN accounts_user u ON u.id = a.user_id\n                WHERE a.user_id = NEW.received_by_id AND a.ended_at IS NULL AND o.is_active AND u.is_active\n                    AND a.organisation_id = CASE NEW.state WHEN 'received' THEN NEW.receiver_id ELSE NEW.sender_id END\n                    AND on_day BETWEEN a.valid_from AND coalesce(a.valid_until, 'infinity')\n                    AND a.role IN ('inspector', 'processor', 'storekeeper')\n            ) THEN\n                RAISE EXCEPTION 'the labels of hand-over % are received by somebody of another office', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'labels_are_received_where_they_arrive';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="f55927cb4297f086e86b3447d7c7f7c42470ee6c",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_labels_are_received_where_they_arrive_de383",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
    ]
