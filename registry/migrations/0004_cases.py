"""Seizure cases with everything the illegal trade report asks, and what guards their goods in the ledger."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from registry.migrations._case_lists import COUNTRIES, WORDS

# Evidence is let go by a decision only; and a movement of kind decision moves what was decided.
GUARDS = """
CREATE FUNCTION registry_evidence_is_lifted_by_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM registry_decideditem i JOIN registry_courtdecision d ON d.id = i.decision_id
        WHERE i.item_id = NEW.item_id AND i.is_confirmed AND d.state = 'confirmed'
    ) THEN
        RAISE EXCEPTION 'no confirmed decision lets item % go', NEW.item_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'evidence_is_lifted_by_decision';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evidence_is_lifted_by_decision BEFORE UPDATE ON ledger_hold FOR EACH ROW
    WHEN (OLD.kind = 'evidence' AND OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL)
    EXECUTE FUNCTION registry_evidence_is_lifted_by_decision();

CREATE FUNCTION registry_decision_moves_what_was_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
        LEFT JOIN registry_decideditem i ON i.item_id = p.item_id AND i.is_confirmed
        WHERE i.id IS NULL OR p.pieces > 0 AND i.outcome <> CASE
            WHEN p.account_id = (SELECT id FROM ledger_custodyaccount WHERE kind = 'returned') THEN 'returned'
            WHEN i.outcome = 'returned' THEN ''
            WHEN p.stock_class LIKE '%:confiscated' THEN i.outcome ELSE '' END
    ) THEN
        RAISE EXCEPTION 'movement % does what no decision says', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decision_moves_what_was_decided';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER decision_moves_what_was_decided AFTER INSERT ON ledger_movement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind = 'decision')
    EXECUTE FUNCTION registry_decision_moves_what_was_decided();
"""
NO_GUARDS = """
DROP TRIGGER decision_moves_what_was_decided ON ledger_movement;
DROP TRIGGER evidence_is_lifted_by_decision ON ledger_hold;
DROP FUNCTION registry_decision_moves_what_was_decided;
DROP FUNCTION registry_evidence_is_lifted_by_decision;
"""


def number_cases(apps, schema_editor):
    """Give each known case a number of the register, by the year of its protocol."""
    Case, Series = apps.get_model("registry", "Case"), apps.get_model("documents", "NumberSeries")
    last = {}
    for case in Case.objects.order_by("pk"):
        year = case.protocol_on.year
        last[year] = last.get(year, 0) + 1
        case.number = f"SZ{year % 100:02d}-{last[year]:06d}"
        case.save(update_fields=["number"])
    for year, serial in last.items():
        Series.objects.create(series="SZ", year=year, last=serial)


def load_lists(apps, schema_editor):
    apps.get_model("registry", "Country").objects.bulk_create(
        apps.get_model("registry", "Country")(code=code, name_kk=kk, name_ru=ru, name_en=en)
        for code, kk, ru, en in COUNTRIES
    )
    CaseWord = apps.get_model("registry", "CaseWord")
    CaseWord.objects.bulk_create(
        CaseWord(list=name, code=code, place=place, name_kk=kk, name_ru=ru, name_en=en)
        for name, words in WORDS.items()
        for place, (code, kk, ru, en) in enumerate(words)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_regions"),
        ("documents", "0002_attachments"),
        ("ledger", "0009_holds"),
        ("registry", "0003_intakes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CasePerson",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("full_name", models.CharField(max_length=200, verbose_name="full name")),
                ("iin", models.CharField(blank=True, max_length=12, verbose_name="IIN")),
                (
                    "part",
                    models.CharField(
                        choices=[
                            ("suspect", "Suspect"),
                            ("accused", "Accused"),
                            ("witness", "Witness"),
                            ("owner", "Owner of the goods"),
                        ],
                        max_length=8,
                        verbose_name="part in the case",
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=300, verbose_name="note")),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="CaseWord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("name_en", models.CharField(max_length=200, verbose_name="name in English")),
                (
                    "list",
                    models.CharField(
                        choices=[
                            ("reason", "Reason for seizure"),
                            ("detection", "Method of detection"),
                            ("transport", "Mode of transport"),
                            ("concealment", "Method of concealment"),
                            ("disposal", "Disposal of the goods"),
                        ],
                        max_length=12,
                    ),
                ),
                ("code", models.CharField(max_length=30)),
                ("place", models.PositiveSmallIntegerField(default=0)),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["list", "place", "pk"],
            },
        ),
        migrations.CreateModel(
            name="Country",
            fields=[
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("name_en", models.CharField(max_length=200, verbose_name="name in English")),
                ("code", models.CharField(max_length=2, primary_key=True, serialize=False)),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="CourtDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("court", models.CharField(max_length=200, verbose_name="court")),
                ("number", models.CharField(max_length=60, verbose_name="number of the decision")),
                ("decided_on", models.DateField(verbose_name="date of the decision")),
                ("in_force_on", models.DateField(verbose_name="in legal force on")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("recorded", "Waits for confirmation"),
                            ("confirmed", "Confirmed"),
                            ("withdrawn", "Not confirmed"),
                        ],
                        default="recorded",
                        max_length=9,
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("close_reason", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="DecidedItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("confiscated", "Confiscated"),
                            ("returned", "Returned to the owner"),
                            ("destroy", "To be destroyed"),
                        ],
                        max_length=11,
                    ),
                ),
                ("is_confirmed", models.BooleanField(default=False)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Expertise",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("institution", models.CharField(max_length=200, verbose_name="institution")),
                ("requested_on", models.DateField(verbose_name="asked for on")),
                ("question", models.TextField(blank=True, verbose_name="questions to the expert")),
                ("requested_at", models.DateTimeField()),
                ("number", models.CharField(blank=True, max_length=60, verbose_name="number of the conclusion")),
                ("done_on", models.DateField(blank=True, null=True, verbose_name="date of the conclusion")),
                ("expert", models.CharField(blank=True, max_length=150, verbose_name="expert")),
                ("finding", models.TextField(blank=True, verbose_name="finding")),
                ("received_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="SeizedCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "term",
                    models.CharField(
                        choices=[
                            ("HOR", "horn"),
                            ("HOP", "piece of horn"),
                            ("HOC", "horn carving"),
                            ("MEA", "meat"),
                            ("SKI", "hide"),
                            ("SKP", "piece of hide"),
                            ("TRO", "trophy"),
                            ("POW", "horn powder"),
                            ("MED", "medicine"),
                        ],
                        max_length=3,
                        verbose_name="term",
                    ),
                ),
                ("pieces", models.PositiveIntegerField(verbose_name="pieces")),
                ("grams", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="mass")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="case",
            name="case_is_fixed",
        ),
        migrations.AddField(
            model_name="case",
            name="additional",
            field=models.TextField(blank=True, verbose_name="additional information"),
        ),
        migrations.AddField(
            model_name="case",
            name="articles",
            field=models.CharField(blank=True, max_length=300, verbose_name="articles of law"),
        ),
        migrations.AddField(
            model_name="case",
            name="estimated_value",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="estimated value"),
        ),
        migrations.AddField(
            model_name="case",
            name="females",
            field=models.PositiveIntegerField(default=0, verbose_name="females"),
        ),
        migrations.AddField(
            model_name="case",
            name="latitude",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, verbose_name="latitude"),
        ),
        migrations.AddField(
            model_name="case",
            name="longitude",
            field=models.DecimalField(blank=True, decimal_places=6, max_digits=9, null=True, verbose_name="longitude"),
        ),
        migrations.AddField(
            model_name="case",
            name="males",
            field=models.PositiveIntegerField(default=0, verbose_name="males"),
        ),
        migrations.AddField("case", "number", models.CharField(max_length=20, default=""), preserve_default=False),
        migrations.RunPython(number_cases, migrations.RunPython.noop),
        migrations.AlterField("case", "number", models.CharField(max_length=20, unique=True)),
        migrations.AddField(
            model_name="case",
            name="offence_on",
            field=models.DateField(blank=True, null=True, verbose_name="day of the offence"),
        ),
        migrations.AddField(
            model_name="case",
            name="sanction",
            field=models.CharField(blank=True, max_length=500, verbose_name="sanction"),
        ),
        migrations.AddField(
            model_name="case",
            name="version",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="case",
            name="young",
            field=models.PositiveIntegerField(default=0, verbose_name="young"),
        ),
        migrations.AlterField(
            model_name="case",
            name="erdr_number",
            field=models.CharField(blank=True, max_length=30, verbose_name="ERDR number"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="case_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."protocol_number" IS DISTINCT FROM (NEW."protocol_number") OR OLD."opened_by_id" IS DISTINCT FROM (NEW."opened_by_id") OR OLD."opened_at" IS DISTINCT FROM (NEW."opened_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="fce2823805293f8db1ced48fb17e3b89ad813bbe",
                    operation="UPDATE",
                    pgid="pgtrigger_case_is_fixed_9afe0",
                    table="registry_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="erdr_number_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NOT (OLD."erdr_number" = \'\') AND OLD."erdr_number" IS DISTINCT FROM (NEW."erdr_number"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="2e7f19528fe2182e24ba7cba2d9c4154a5caaf2f",
                    operation="UPDATE",
                    pgid="pgtrigger_erdr_number_stays_02454",
                    table="registry_case",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="case",
            trigger=pgtrigger.compiler.Trigger(
                name="case_words_are_of_their_lists",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                SELECT FROM (VALUES (NEW.reason_id, 'reason'), (NEW.detection_id, 'detection'),\n                    (NEW.transport_id, 'transport'), (NEW.concealment_id, 'concealment')) AS said (word, list)\n                JOIN registry_caseword w ON w.id = said.word WHERE w.list <> said.list\n            ) THEN\n                RAISE EXCEPTION 'case % says something in a word of another list', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'case_words_are_of_their_lists';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="cf1a8d6e63b7869f1996a39ca27b30171a88ec70",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_case_words_are_of_their_lists_f7a46",
                    table="registry_case",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="caseperson",
            name="added_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="caseperson",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="persons", to="registry.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="caseword",
            constraint=models.UniqueConstraint(fields=("list", "code"), name="one_case_word_of_a_code"),
        ),
        migrations.AddField(
            model_name="case",
            name="concealment",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.caseword",
                verbose_name="method of concealment",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="detection",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.caseword",
                verbose_name="method of detection",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="reason",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.caseword",
                verbose_name="reason for seizure",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="transport",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.caseword",
                verbose_name="mode of transport",
            ),
        ),
        migrations.AddField(
            model_name="caseperson",
            name="nationality",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.country",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="destination_country",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.country",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="nationalities",
            field=models.ManyToManyField(blank=True, related_name="+", to="registry.country"),
        ),
        migrations.AddField(
            model_name="case",
            name="origin_country",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.country",
            ),
        ),
        migrations.AddField(
            model_name="case",
            name="transit_countries",
            field=models.ManyToManyField(blank=True, related_name="+", to="registry.country"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["seized_on"], name="registry_ca_seized__20df78_idx"),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.UniqueConstraint(
                condition=models.Q(("erdr_number", ""), _negated=True),
                fields=("erdr_number",),
                name="one_case_per_erdr",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("latitude", None), ("longitude", None)),
                    models.Q(
                        ("latitude__gte", -90), ("latitude__lte", 90), ("longitude__gte", -180), ("longitude__lte", 180)
                    ),
                    _connector="OR",
                ),
                name="case_coordinates_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("offence_on", None), ("offence_on__lte", models.F("seized_on")), _connector="OR"),
                name="offence_not_after_seizure",
            ),
        ),
        migrations.AddField(
            model_name="courtdecision",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="registry.case"
            ),
        ),
        migrations.AddField(
            model_name="courtdecision",
            name="closed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="courtdecision",
            name="document",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="documents.document",
            ),
        ),
        migrations.AddField(
            model_name="courtdecision",
            name="recorded_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="decideditem",
            name="decision",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="items",
                to="registry.courtdecision",
            ),
        ),
        migrations.AddField(
            model_name="decideditem",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="court_decisions", to="ledger.item"
            ),
        ),
        migrations.AddField(
            model_name="expertise",
            name="case",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="expertises", to="registry.case"
            ),
        ),
        migrations.AddField(
            model_name="expertise",
            name="document",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="documents.document",
            ),
        ),
        migrations.AddField(
            model_name="expertise",
            name="received_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="expertise",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="seizedcount",
            name="case",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="counts", to="registry.case"
            ),
        ),
        migrations.AddConstraint(
            model_name="caseperson",
            constraint=models.CheckConstraint(
                condition=models.Q(("iin", ""), ("iin__regex", "^[0-9]{12}$"), _connector="OR"), name="iin_form"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseperson",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="9e56fe09455064f7c908a8d2d3a9f747a4361f71",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_f7d5f",
                    table="registry_caseperson",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="caseperson",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="e238ebd2b3779188228d7c6abb13179727e6ae87",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_9eed6",
                    table="registry_caseperson",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="courtdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("in_force_on__gte", models.F("decided_on"))), name="decision_in_force_after_it"
            ),
        ),
        migrations.AddConstraint(
            model_name="courtdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "confirmed"), _negated=True),
                    models.Q(("closed_by", models.F("recorded_by")), _negated=True),
                    _connector="OR",
                ),
                name="decision_needs_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="courtdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("closed_by", None), ("state", "recorded")),
                    models.Q(
                        models.Q(("state", "recorded"), _negated=True),
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="decision_closed_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="courtdecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "recorded")), fields=("case",), name="one_decision_of_a_case_waits"
            ),
        ),
        migrations.AddConstraint(
            model_name="courtdecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("case", "court", "number"),
                name="one_decision_of_a_number",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="courtdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="14cadaa703daabf22eb1e702116370c973f39ca9",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_5e575",
                    table="registry_courtdecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="courtdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="8e300235e73d168e32559db936aeecfa65606157",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_b0f1d",
                    table="registry_courtdecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="courtdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="decision_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."case_id" IS DISTINCT FROM (NEW."case_id") OR OLD."court" IS DISTINCT FROM (NEW."court") OR OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."decided_on" IS DISTINCT FROM (NEW."decided_on") OR OLD."in_force_on" IS DISTINCT FROM (NEW."in_force_on") OR OLD."recorded_by_id" IS DISTINCT FROM (NEW."recorded_by_id") OR OLD."recorded_at" IS DISTINCT FROM (NEW."recorded_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="6d8f2b59f75aff438e743cd9e2637b9e196c9837",
                    operation="UPDATE",
                    pgid="pgtrigger_decision_is_fixed_2b7cb",
                    table="registry_courtdecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="courtdecision",
            trigger=pgtrigger.compiler.Trigger(
                name="decision_closed_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (OLD.\"state\" = 'recorded'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="17291d039624462ac9b67a1cd77a95ad793e95ce",
                    operation="UPDATE",
                    pgid="pgtrigger_decision_closed_for_good_df308",
                    table="registry_courtdecision",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="decideditem",
            constraint=models.UniqueConstraint(fields=("decision", "item"), name="one_outcome_of_an_item"),
        ),
        migrations.AddConstraint(
            model_name="decideditem",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_confirmed", True)), fields=("item",), name="one_confirmed_decision_of_an_item"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decideditem",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="21f0c24dd8254a4ef49fb225cf41204f4ce0e032",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_21ec9",
                    table="registry_decideditem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decideditem",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="37940646ad6d6f3e81bf854f9cb283d4179cfdd3",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_3042c",
                    table="registry_decideditem",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="decideditem",
            trigger=pgtrigger.compiler.Trigger(
                name="decided_item_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."decision_id" IS DISTINCT FROM (NEW."decision_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."outcome" IS DISTINCT FROM (NEW."outcome"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="fb25916476d6746a81516e66b86dbf70fb2a9c8d",
                    operation="UPDATE",
                    pgid="pgtrigger_decided_item_is_fixed_62b2f",
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
                    func="\n            SELECT state, case_id INTO its_state, its_case FROM registry_courtdecision WHERE id = NEW.decision_id;\n            IF TG_OP = 'INSERT' AND its_state <> 'recorded' OR NEW.is_confirmed AND its_state <> 'confirmed'\n                OR NOT EXISTS (\n                    SELECT FROM registry_derivative d JOIN registry_intake i ON i.id = d.intake_id\n                    WHERE d.item_id = NEW.item_id AND i.case_id = its_case\n                )\n            THEN\n                RAISE EXCEPTION 'item % is not decided by decision %', NEW.item_id, NEW.decision_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'items_are_decided_with_their_decision';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="4d176c5d22ea463a0ede2095373c9ddd434f2d44",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_items_are_decided_with_their_decision_0bc22",
                    table="registry_decideditem",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="expertise",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("done_on", None), ("finding", ""), ("number", ""), ("received_at", None), ("received_by", None)
                    ),
                    models.Q(
                        ("done_on__gte", models.F("requested_on")),
                        ("received_at__isnull", False),
                        ("received_by__isnull", False),
                        models.Q(("number", ""), _negated=True),
                        models.Q(("finding", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="expertise_answered_all_or_none",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="expertise",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="0623478dda97dc210b7db4d430c7aef480808e96",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_9eb3c",
                    table="registry_expertise",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="expertise",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="179f9d95b44f8d0bf6b5202f72b258a128971b9d",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_b4555",
                    table="registry_expertise",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="expertise",
            trigger=pgtrigger.compiler.Trigger(
                name="expertise_answered_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."received_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="a970b3c1a0b911e19f6d631b7b30632e57e14ff7",
                    operation="UPDATE",
                    pgid="pgtrigger_expertise_answered_for_good_53a5c",
                    table="registry_expertise",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="seizedcount",
            constraint=models.UniqueConstraint(fields=("case", "term"), name="one_count_of_a_term"),
        ),
        migrations.AddConstraint(
            model_name="seizedcount",
            constraint=models.CheckConstraint(condition=models.Q(("pieces__gt", 0)), name="something_was_counted"),
        ),
        migrations.RunPython(load_lists, migrations.RunPython.noop),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
