"""One protocol is one case, decided facts stay, and goods go back to their owner by an act only."""

import django.db.models.deletion
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# A movement of kind decision does what a confirmed decision says; to an owner it goes with an act of return only.
GUARD = """
CREATE OR REPLACE FUNCTION registry_decision_moves_what_was_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
        LEFT JOIN registry_decideditem i ON i.item_id = p.item_id AND i.is_confirmed
        WHERE i.id IS NULL OR p.pieces > 0 AND i.outcome <> CASE
            WHEN p.account_id = (SELECT id FROM ledger_custodyaccount WHERE kind = 'returned') THEN {returned}
            WHEN i.outcome = 'returned' THEN ''
            WHEN p.stock_class LIKE '%:confiscated' THEN i.outcome ELSE '' END
    ) THEN
        RAISE EXCEPTION 'movement % does what no decision says', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_moves_what_was_decided';
    END IF;
    RETURN NULL;
END $$;
"""
WITH_ACT = GUARD.replace("{returned}", "CASE WHEN i.return_act_id IS NULL THEN '' ELSE 'returned' END")
WITHOUT_ACT = GUARD.replace("{returned}", "'returned'")


def mark_repeats(apps, schema_editor):
    """Cases of one protocol that were entered twice before that was refused: all but the first."""
    seen = set()
    for case in apps.get_model("registry", "Case").objects.order_by("pk"):
        protocol = (case.agency_id, case.protocol_on, case.protocol_number.lower())
        if protocol in seen:
            case.is_repeat = True
            case.save(update_fields=["is_repeat"])
        seen.add(protocol)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_regions"),
        ("documents", "0002_attachments"),
        ("registry", "0009_sales"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="decideditem",
            name="items_are_decided_with_their_decision",
        ),
        migrations.CreateModel(
            name="ReturnAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                ("receiver_name", models.CharField(max_length=200, verbose_name="who receives the goods")),
                ("receiver_iin", models.CharField(blank=True, max_length=12, verbose_name="IIN")),
                ("receiver_document", models.CharField(max_length=120, verbose_name="identity document")),
                ("on_behalf", models.CharField(blank=True, max_length=200, verbose_name="power of attorney")),
                ("handed_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="case",
            name="is_repeat",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(mark_repeats, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="returnact",
            name="decision",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="returns", to="registry.courtdecision"
            ),
        ),
        migrations.AddField(
            model_name="returnact",
            name="handed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="returnact",
            name="paper_kk",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="returnact",
            name="paper_ru",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="returnact",
            name="picture",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="returnact",
            name="receipt",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="documents.document"
            ),
        ),
        migrations.AddField(
            model_name="decideditem",
            name="return_act",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="items", to="registry.returnact"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                models.F("agency"),
                models.F("protocol_on"),
                django.db.models.functions.text.Lower("protocol_number"),
                condition=models.Q(("is_repeat", False)),
                name="one_case_of_a_protocol",
            ),
        ),
        migrations.AddConstraint(
            model_name="returnact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("receiver_name", ""), _negated=True), models.Q(("receiver_document", ""), _negated=True)
                ),
                name="return_names_its_receiver",
            ),
        ),
        migrations.AddConstraint(
            model_name="returnact",
            constraint=models.CheckConstraint(
                condition=models.Q(("receiver_iin", ""), ("receiver_iin__regex", "^[0-9]{12}$"), _connector="OR"),
                name="receiver_iin_form",
            ),
        ),
        migrations.AddConstraint(
            model_name="returnact",
            constraint=models.CheckConstraint(
                condition=models.Q(("picture__isnull", False), ("receipt__isnull", False), _connector="OR"),
                name="return_is_signed_for",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="erdr_number_has_15_digits",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NEW.erdr_number <> '' AND NEW.erdr_number !~ '^[0-9]{15}$'\n                AND (TG_OP = 'INSERT' OR OLD.erdr_number <> NEW.erdr_number)\n            THEN\n                RAISE EXCEPTION 'case % has an ERDR number of another form', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'erdr_number_has_15_digits';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="ba3e753d02fddbfcc9a96cc1171bde54a5d51b2a",
                    operation='INSERT OR UPDATE OF "erdr_number"',
                    pgid="pgtrigger_erdr_number_has_15_digits_bbf6a",
                    table="registry_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_case_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (OLD.agency_id IS DISTINCT FROM NEW.agency_id OR OLD.region_id IS DISTINCT FROM NEW.region_id OR OLD.place IS DISTINCT FROM NEW.place OR OLD.seized_on IS DISTINCT FROM NEW.seized_on OR OLD.offence_on IS DISTINCT FROM NEW.offence_on OR OLD.males IS DISTINCT FROM NEW.males OR OLD.females IS DISTINCT FROM NEW.females OR OLD.young IS DISTINCT FROM NEW.young OR OLD.latitude IS NOT NULL AND OLD.latitude IS DISTINCT FROM NEW.latitude OR OLD.longitude IS NOT NULL AND OLD.longitude IS DISTINCT FROM NEW.longitude OR OLD.reason_id IS NOT NULL AND OLD.reason_id IS DISTINCT FROM NEW.reason_id OR OLD.detection_id IS NOT NULL AND OLD.detection_id IS DISTINCT FROM NEW.detection_id OR OLD.transport_id IS NOT NULL AND OLD.transport_id IS DISTINCT FROM NEW.transport_id OR OLD.concealment_id IS NOT NULL AND OLD.concealment_id IS DISTINCT FROM NEW.concealment_id OR OLD.origin_country_id IS NOT NULL AND OLD.origin_country_id IS DISTINCT FROM NEW.origin_country_id OR OLD.destination_country_id IS NOT NULL AND OLD.destination_country_id IS DISTINCT FROM NEW.destination_country_id OR OLD.estimated_value IS NOT NULL AND OLD.estimated_value IS DISTINCT FROM NEW.estimated_value) AND EXISTS (\n                SELECT FROM registry_courtdecision WHERE case_id = NEW.id AND state = 'confirmed'\n            ) THEN\n                RAISE EXCEPTION 'a court has decided case %: its facts stay', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_case_stays';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="06ec2395abc3db8e45cc963e7d6f60377ddfde84",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_case_stays_e2c09",
                    table="registry_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="courtdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="decision_is_sound",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (NEW.\"state\" = 'withdrawn'))",
                    declare="DECLARE wrong text;",
                    func="\n            IF NEW.decided_on < (SELECT seized_on FROM registry_case WHERE id = NEW.case_id) THEN\n                wrong := 'decision_is_after_the_seizure';\n            ELSIF NEW.state = 'confirmed' AND EXISTS (\n                SELECT FROM notices_notice WHERE code = 'case.counts_differ' AND state <> 'decided'\n                AND subject_kind = 'case' AND subject_id = NEW.case_id::text\n            ) THEN\n                wrong := 'counts_are_settled_before_the_decision';\n            ELSIF NEW.state = 'confirmed' AND EXISTS (\n                SELECT FROM registry_decideditem WHERE decision_id = NEW.id AND outcome = 'returned'\n            ) THEN\n                IF NEW.document_id IS NULL THEN\n                    wrong := 'release_has_its_scan';\n                ELSIF EXISTS (\n                    SELECT FROM accounts_appointment a JOIN accounts_appointment b USING (organisation_id)\n                    WHERE a.user_id = NEW.recorded_by_id AND b.user_id = NEW.closed_by_id AND a.user_id <> b.user_id\n                    AND a.ended_at IS NULL AND b.ended_at IS NULL\n                    AND (NEW.closed_at AT TIME ZONE 'Asia/Almaty')::date BETWEEN a.valid_from\n                        AND coalesce(a.valid_until, 'infinity')\n                    AND (NEW.closed_at AT TIME ZONE 'Asia/Almaty')::date BETWEEN b.valid_from\n                        AND coalesce(b.valid_until, 'infinity')\n                ) THEN\n                    wrong := 'release_is_confirmed_elsewhere';\n                END IF;\n            END IF;\n            IF wrong IS NOT NULL THEN\n                RAISE EXCEPTION 'decision % does not take effect: %', NEW.number, wrong\n                    USING ERRCODE = 'check_violation', CONSTRAINT = wrong;\n            END IF;\n            RETURN NEW;\n        ",
                    hash="db8fbb66638dcb7383db1af198343f547c65a533",
                    operation='INSERT OR UPDATE OF "state"',
                    pgid="pgtrigger_decision_is_sound_62f59",
                    table="registry_courtdecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decideditem",
            trigger=pgtrigger.compiler.Trigger(
                name="item_returned_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."return_act_id" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="fac5e108bcd5684db823031f1720b0beadaabdb5",
                    operation="UPDATE",
                    pgid="pgtrigger_item_returned_for_good_7f23c",
                    table="registry_decideditem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decideditem",
            trigger=pgtrigger.compiler.Trigger(
                name="items_are_decided_with_their_decision",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE its_state text; its_case bigint;",
                    func="\n            SELECT state, case_id INTO its_state, its_case FROM registry_courtdecision WHERE id = NEW.decision_id;\n            IF TG_OP = 'INSERT' AND its_state <> 'recorded' OR NEW.is_confirmed AND its_state <> 'confirmed'\n                OR NEW.return_act_id IS NOT NULL AND (\n                    NEW.outcome <> 'returned' OR NOT NEW.is_confirmed\n                    OR NEW.decision_id <> (SELECT decision_id FROM registry_returnact WHERE id = NEW.return_act_id)\n                )\n                OR NOT EXISTS (\n                    SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id\n                    WHERE d.item_id = NEW.item_id AND i.case_id = its_case\n                )\n            THEN\n                RAISE EXCEPTION 'item % is not decided by decision %', NEW.item_id, NEW.decision_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'items_are_decided_with_their_decision';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="5115a3a763ed33817b9b5323db879ef6111c168d",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_items_are_decided_with_their_decision_0bc22",
                    table="registry_decideditem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="seizedcount",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_counts_stay",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                SELECT FROM registry_courtdecision WHERE state = 'confirmed'\n                AND case_id = CASE TG_OP WHEN 'DELETE' THEN OLD.case_id ELSE NEW.case_id END\n            ) THEN\n                RAISE EXCEPTION 'a court has decided: the counts of the protocol stay'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'decided_counts_stay';\n            END IF;\n            RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;\n        ",
                    hash="e70eeaba6a1747250718cf60a1353dc774604d80",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_decided_counts_stay_7e202",
                    table="registry_seizedcount",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="returnact",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="f7e917c88f1393f8e53b607b077b53a880e7d62e",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_f3a69",
                    table="registry_returnact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="returnact",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="9fc7c2527beb97067d5b567dd5250bbb43974dd1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_91536",
                    table="registry_returnact",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(WITH_ACT, WITHOUT_ACT),
    ]
