from datetime import datetime, time
from zoneinfo import ZoneInfo

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


def say_the_moment(apps, schema_editor):
    """A day on which goods were expected was its end, in Almaty."""
    Handover = apps.get_model("ledger", "Handover")
    for handover in Handover.objects.exclude(expected_on=None):
        end = datetime.combine(handover.expected_on, time(23, 59), ZoneInfo("Asia/Almaty"))
        Handover.objects.filter(pk=handover.pk).update(expected_at=end)


class Migration(migrations.Migration):
    dependencies = [
        ("documents", "0001_initial"),
        ("ledger", "0005_boxes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HandoverPaper",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("waybill", "Waybill"), ("act", "Hand-over act"), ("discrepancy", "Discrepancy act")],
                        max_length=11,
                    ),
                ),
                ("language", models.CharField(max_length=2)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="HandoverSeal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("unchecked", "Not checked yet"),
                            ("intact", "Intact"),
                            ("broken", "Broken"),
                            ("gone", "Not there"),
                        ],
                        default="unchecked",
                        max_length=9,
                    ),
                ),
                ("checked_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="HandoverSignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("side", models.CharField(choices=[("sender", "Sender"), ("receiver", "Receiver")], max_length=8)),
                ("signed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="handover",
            name="escort",
            field=models.CharField(blank=True, max_length=300, verbose_name="escort"),
        ),
        migrations.AddField(
            model_name="handover",
            name="expected_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="expected"),
        ),
        migrations.RunPython(say_the_moment, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="handover",
            name="expected_on",
        ),
        migrations.AddField(
            model_name="handover",
            name="late_told_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="handover",
            name="route",
            field=models.TextField(blank=True, verbose_name="route"),
        ),
        migrations.AddField(
            model_name="handover",
            name="sample_seed",
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name="handover",
            name="sample_size",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="box",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ledger.box",
            ),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="in_sample",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="reason",
            field=models.CharField(blank=True, max_length=300, verbose_name="reason"),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="weighed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="weighed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="handoverline",
            name="weighed_g",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="handover",
            index=models.Index(
                condition=models.Q(("late_told_at", None), ("state", "dispatched")),
                fields=["expected_at"],
                name="handover_not_told_late",
            ),
        ),
        migrations.AddIndex(
            model_name="handoverline",
            index=models.Index(fields=["handover", "-scanned_at"], name="ledger_hand_handove_7cf890_idx"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="handover_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."source_id" IS DISTINCT FROM (NEW."source_id") OR OLD."target_id" IS DISTINCT FROM (NEW."target_id") OR OLD."transit_id" IS DISTINCT FROM (NEW."transit_id") OR OLD."under" IS DISTINCT FROM (NEW."under") OR OLD."vehicle" IS DISTINCT FROM (NEW."vehicle") OR OLD."driver" IS DISTINCT FROM (NEW."driver") OR OLD."escort" IS DISTINCT FROM (NEW."escort") OR OLD."route" IS DISTINCT FROM (NEW."route") OR OLD."seals" IS DISTINCT FROM (NEW."seals") OR OLD."expected_at" IS DISTINCT FROM (NEW."expected_at") OR OLD."dispatched_by_id" IS DISTINCT FROM (NEW."dispatched_by_id") OR OLD."dispatched_at" IS DISTINCT FROM (NEW."dispatched_at") OR OLD."dispatch_movement_id" IS DISTINCT FROM (NEW."dispatch_movement_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="44ef025ab2105306b3c21f5ad1789294f7fff155",
                    operation="UPDATE",
                    pgid="pgtrigger_handover_is_fixed_de638",
                    table="ledger_handover",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handover",
            trigger=pgtrigger.compiler.Trigger(
                name="handover_closes_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" IN ('accepted', 'cancelled'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="b35ccbeb72e005e670940081fe8a4a55a14aabc6",
                    operation="UPDATE",
                    pgid="pgtrigger_handover_closes_once_9f1da",
                    table="ledger_handover",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="handoverline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("weighed_at", None), ("weighed_by", None), ("weighed_g", None)),
                    models.Q(
                        ("weighed_at__isnull", False), ("weighed_by__isnull", False), ("weighed_g__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="handover_weighing_all_or_none",
            ),
        ),
        migrations.AddField(
            model_name="handoverpaper",
            name="document",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="handoverpaper",
            name="handover",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="papers", to="ledger.handover"
            ),
        ),
        migrations.AddField(
            model_name="handoverseal",
            name="checked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="handoverseal",
            name="handover",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="seal_checks",
                to="ledger.handover",
            ),
        ),
        migrations.AddField(
            model_name="handoversignature",
            name="handover",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signatures",
                to="ledger.handover",
            ),
        ),
        migrations.AddField(
            model_name="handoversignature",
            name="picture",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="handoversignature",
            name="signed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="handoverpaper",
            constraint=models.UniqueConstraint(
                fields=("handover", "kind", "language"), name="handover_paper_drawn_once"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverpaper",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="46c10b1b7782e5bc7fbc7311d76b847259bd0b2c",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_22912",
                    table="ledger_handoverpaper",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverpaper",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="230457cdd49332031c4d382464f5547349edf192",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_30236",
                    table="ledger_handoverpaper",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="handoverseal",
            constraint=models.UniqueConstraint(fields=("handover", "number"), name="seal_once_in_handover"),
        ),
        migrations.AddConstraint(
            model_name="handoverseal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("checked_at", None), ("checked_by", None), ("state", "unchecked")),
                    models.Q(
                        models.Q(("state", "unchecked"), _negated=True),
                        ("checked_at__isnull", False),
                        ("checked_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="seal_check_all_or_none",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverseal",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="6676af4022d8ebe24a080ed62ba54f2ebecd064f",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_ef7a3",
                    table="ledger_handoverseal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverseal",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="4de70cd48d47311ab1c7184b06e4d27a32c20ce7",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_b290b",
                    table="ledger_handoverseal",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoverseal",
            trigger=pgtrigger.compiler.Trigger(
                name="handover_seal_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."handover_id" IS DISTINCT FROM (NEW."handover_id") OR OLD."number" IS DISTINCT FROM (NEW."number"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="c3fd9af635fa04a7f33405f2b4054660552f67ac",
                    operation="UPDATE",
                    pgid="pgtrigger_handover_seal_is_fixed_290a8",
                    table="ledger_handoverseal",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="handoversignature",
            constraint=models.UniqueConstraint(fields=("handover", "side"), name="each_side_signs_once"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoversignature",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="8debccb48bcec9b7848c209a97ef98df3488bc9e",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_49cee",
                    table="ledger_handoversignature",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoversignature",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="99f76566ece1f96b662311619a2f8d5ecf4c0256",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_7790f",
                    table="ledger_handoversignature",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="handoversignature",
            trigger=pgtrigger.compiler.Trigger(
                name="signature_is_of_who_acted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NOT EXISTS (\n                SELECT FROM ledger_handover h WHERE h.id = NEW.handover_id AND CASE NEW.side\n                    WHEN 'sender' THEN h.dispatched_by_id = NEW.signed_by_id\n                    ELSE h.state = 'accepted' AND h.closed_by_id = NEW.signed_by_id END\n            ) THEN\n                RAISE EXCEPTION 'hand-over % is signed by who acted', NEW.handover_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'signature_is_of_who_acted';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="af294192bef198dcc311facdcd323fcb53a0e902",
                    operation="INSERT",
                    pgid="pgtrigger_signature_is_of_who_acted_642f3",
                    table="ledger_handoversignature",
                    when="BEFORE",
                ),
            ),
        ),
    ]
