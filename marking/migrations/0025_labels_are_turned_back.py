import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# Labels on their way since an earlier version are late a week after they were sent; nobody had named a day.
_DUE = """
    UPDATE marking_labelshipment SET due_on = (sent_at AT TIME ZONE 'Asia/Almaty')::date + 7 WHERE state = 'sent';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_regions"),
        ("marking", "0024_refusals_are_counted"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="labelshipment",
            name="label_shipment_is_fixed",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="labelshipment",
            name="label_shipment_ends_once",
        ),
        migrations.RemoveConstraint(
            model_name="labelshipment",
            name="label_shipment_state_has_its_moment",
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="due_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="expected_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="late_told_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="turn_reason",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="turned_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="labelshipment",
            name="turned_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AlterField(
            model_name="labelshipment",
            name="state",
            field=models.CharField(
                choices=[
                    ("sent", "In transit"),
                    ("received", "Received"),
                    ("returning", "On its way back"),
                    ("returned", "Returned and counted"),
                ],
                default="sent",
                max_length=9,
            ),
        ),
        migrations.RunSQL(_DUE, migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="label_shipment_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."sender_id" IS DISTINCT FROM (NEW."sender_id") OR OLD."receiver_id" IS DISTINCT FROM (NEW."receiver_id") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."sent_by_id" IS DISTINCT FROM (NEW."sent_by_id") OR OLD."sent_at" IS DISTINCT FROM (NEW."sent_at") OR OLD."expected_on" IS DISTINCT FROM (NEW."expected_on"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="21df7108251519e318dceb72c4199dca2a90ec77",
                    operation="UPDATE",
                    pgid="pgtrigger_label_shipment_is_fixed_0e980",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="label_shipment_ends_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" IN ('received', 'returned'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="1c7b093867028f8e8a569887b0bff7962cdf5bf1",
                    operation="UPDATE",
                    pgid="pgtrigger_label_shipment_ends_once_cc1ac",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="labels_are_turned_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."turned_at" IS NOT NULL AND (OLD."turned_at" IS DISTINCT FROM (NEW."turned_at") OR OLD."turned_by_id" IS DISTINCT FROM (NEW."turned_by_id") OR OLD."turn_reason" IS DISTINCT FROM (NEW."turn_reason")))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="92b77e886c889c9ac47bb3e25686c0777b70feff",
                    operation="UPDATE",
                    pgid="pgtrigger_labels_are_turned_once_c7ba3",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="label_shipment_goes_its_way",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE _is_valid_transition BOOLEAN;",
                    func='SELECT CONCAT(OLD."state", \':\', NEW."state") = ANY(\'{sent:received,sent:returning,returning:returned}\'::text[]) INTO _is_valid_transition; IF (_is_valid_transition IS FALSE AND OLD."state" IS DISTINCT FROM NEW."state") THEN RAISE EXCEPTION \'pgtrigger: Invalid transition of field "state" from "%" to "%" on table %\', OLD."state", NEW."state", TG_TABLE_NAME; ELSE RETURN NEW; END IF;',
                    hash="e7f43094f413b4da3ba8a802ac88ed8c71d30d48",
                    operation="UPDATE",
                    pgid="pgtrigger_label_shipment_goes_its_way_bc738",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="labelshipment",
            trigger=pgtrigger.compiler.Trigger(
                name="labels_go_where_somebody_receives",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" IN ('sent', 'returning'))",
                    declare="DECLARE office bigint; on_day date;",
                    func="\n            IF TG_OP = 'UPDATE' AND NEW.state = OLD.state THEN\n                RETURN NEW;\n            END IF;\n            office := CASE NEW.state WHEN 'sent' THEN NEW.receiver_id ELSE NEW.sender_id END;\n            on_day := (coalesce(NEW.turned_at, NEW.sent_at) AT TIME ZONE 'Asia/Almaty')::date;\n            IF NOT EXISTS (\n                SELECT FROM accounts_appointment a JOIN accounts_organisation o ON o.id = a.organisation_id\n                JOIN accounts_user u ON u.id = a.user_id\n                WHERE a.organisation_id = office AND a.ended_at IS NULL AND o.is_active AND u.is_active\n                    AND a.valid_from <= on_day AND coalesce(a.valid_until, 'infinity') >= on_day\n                    AND a.role IN ('inspector', 'processor', 'storekeeper')\n                    AND a.user_id <> NEW.sent_by_id AND a.user_id IS DISTINCT FROM NEW.turned_by_id\n            ) THEN\n                RAISE EXCEPTION 'nobody may receive the labels of hand-over %', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'labels_go_where_somebody_receives';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="a882c395aacdcb38d62912b0a3fef7630d7f7320",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_labels_go_where_somebody_receives_ee58e",
                    table="marking_labelshipment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="labelshipment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("received_at", None), ("received_by", None), ("state__in", ["sent", "returning"])),
                    models.Q(
                        ("received_at__isnull", False),
                        ("received_by__isnull", False),
                        ("state__in", ["received", "returned"]),
                    ),
                    _connector="OR",
                ),
                name="label_shipment_state_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelshipment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("received_by", None),
                    ("turned_by", None),
                    models.Q(("received_by", models.F("turned_by")), _negated=True),
                    _connector="OR",
                ),
                name="nobody_counts_labels_they_turned_back",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelshipment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("state__in", ["returning", "returned"]),
                        ("turned_at__isnull", False),
                        ("turned_by__isnull", False),
                        models.Q(("turn_reason", ""), _negated=True),
                    ),
                    models.Q(
                        ("state__in", ["sent", "received"]),
                        ("turn_reason", ""),
                        ("turned_at", None),
                        ("turned_by", None),
                    ),
                    _connector="OR",
                ),
                name="label_shipment_turned_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="labelshipment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["sent", "returning"]), _negated=True),
                    ("due_on__isnull", False),
                    _connector="OR",
                ),
                name="labels_under_way_have_a_due_day",
            ),
        ),
    ]
