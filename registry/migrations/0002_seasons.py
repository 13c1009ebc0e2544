"""Decisions on removal with their limits, slaughter points, daily sheets of brigades; receptions rest on sheets."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_regions"),
        ("registry", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DailySheet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                ("on", models.DateField(verbose_name="day")),
                ("males", models.PositiveIntegerField(verbose_name="males")),
                ("females", models.PositiveIntegerField(verbose_name="females")),
                ("young", models.PositiveIntegerField(verbose_name="young")),
                ("carcasses", models.PositiveIntegerField(verbose_name="carcasses delivered")),
                ("unusable", models.PositiveIntegerField(default=0, verbose_name="unusable, not delivered")),
                ("horns_cut", models.PositiveIntegerField(verbose_name="horns cut")),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("signed", "Signed"), ("withdrawn", "Withdrawn")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("version", models.PositiveIntegerField(default=0)),
                ("entered_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("withdraw_reason", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("carcasses", models.PositiveIntegerField(verbose_name="carcasses")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="RemovalDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=40, unique=True, verbose_name="number")),
                ("decided_on", models.DateField(verbose_name="date")),
                ("title", models.CharField(max_length=200, verbose_name="title")),
                ("legal_basis", models.CharField(max_length=300, verbose_name="legal basis")),
                ("basis_by", models.CharField(max_length=200, verbose_name="who made the justification")),
                ("basis_number", models.CharField(max_length=60, verbose_name="number of the justification")),
                ("basis_on", models.DateField(verbose_name="date of the justification")),
                ("entered_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-decided_on", "number"],
            },
        ),
        migrations.CreateModel(
            name="RemovalLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "population",
                    models.CharField(
                        choices=[("ural", "Ural"), ("betpakdala", "Betpakdala"), ("ustyurt", "Ustyurt")],
                        max_length=12,
                        verbose_name="population",
                    ),
                ),
                (
                    "sex",
                    models.CharField(
                        choices=[
                            ("any", "any sex and age"),
                            ("male", "males only"),
                            ("female", "females only"),
                            ("young", "young only"),
                        ],
                        default="any",
                        max_length=6,
                        verbose_name="sex",
                    ),
                ),
                ("animals", models.PositiveIntegerField(verbose_name="animals at most")),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="SlaughterPoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name_kk", models.CharField(max_length=200, verbose_name="name in Kazakh")),
                ("name_ru", models.CharField(max_length=200, verbose_name="name in Russian")),
                ("name_en", models.CharField(max_length=200, verbose_name="name in English")),
                (
                    "attestation_number",
                    models.CharField(max_length=60, unique=True, verbose_name="number of the attestation"),
                ),
                ("attested_on", models.DateField(verbose_name="attested on")),
                ("is_active", models.BooleanField(default=True)),
            ],
            options={
                "ordering": ["region", "pk"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="intake",
            name="removal_intake_has_its_papers",
        ),
        migrations.AddField(
            model_name="brigade",
            name="contract_on",
            field=models.DateField(null=True, verbose_name="date of the contract"),
        ),
        migrations.AddField(
            model_name="brigade",
            name="leader",
            field=models.CharField(blank=True, max_length=150, verbose_name="leader"),
        ),
        migrations.AddField(
            model_name="brigade",
            name="members",
            field=models.PositiveSmallIntegerField(null=True, verbose_name="members"),
        ),
        migrations.AddField(
            model_name="brigade",
            name="valid_from",
            field=models.DateField(null=True, verbose_name="valid from"),
        ),
        migrations.AddField(
            model_name="brigade",
            name="valid_until",
            field=models.DateField(null=True, verbose_name="valid until"),
        ),
        migrations.AddField(
            model_name="removalpermit",
            name="sex",
            field=models.CharField(
                choices=[
                    ("any", "any sex and age"),
                    ("male", "males only"),
                    ("female", "females only"),
                    ("young", "young only"),
                ],
                default="any",
                max_length=6,
                verbose_name="sex",
            ),
        ),
        migrations.AddField(
            model_name="removalpermit",
            name="withdraw_reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="removalpermit",
            name="withdrawn_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="removalpermit",
            name="withdrawn_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="brigade",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until__gte", models.F("valid_from"))), name="contract_period"
            ),
        ),
        migrations.AddField(
            model_name="dailysheet",
            name="brigade",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="sheets", to="registry.brigade"
            ),
        ),
        migrations.AddField(
            model_name="dailysheet",
            name="closed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="dailysheet",
            name="entered_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="dailysheet",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="dailysheet",
            name="permit",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="sheets", to="registry.removalpermit"
            ),
        ),
        migrations.AddField(
            model_name="intake",
            name="sheet",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="intakes", to="registry.dailysheet"
            ),
        ),
        migrations.AddConstraint(
            model_name="intake",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "removal"), _negated=True),
                    models.Q(
                        ("brigade__isnull", False),
                        ("carcasses__isnull", False),
                        ("case", None),
                        ("females__isnull", False),
                        ("males__isnull", False),
                        ("permit__isnull", False),
                        ("sheet", None),
                        ("young__isnull", False),
                    ),
                    models.Q(
                        ("brigade__isnull", False),
                        ("carcasses", None),
                        ("case", None),
                        ("females", None),
                        ("males", None),
                        ("permit__isnull", False),
                        ("sheet__isnull", False),
                        ("young", None),
                    ),
                    _connector="OR",
                ),
                name="removal_intake_has_its_papers",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="sheet",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="deliveries", to="registry.dailysheet"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="store",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="ledger.custodyaccount"
            ),
        ),
        migrations.AddField(
            model_name="removaldecision",
            name="authority",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="removaldecision",
            name="entered_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="removaldecision",
            name="season",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="registry.season"
            ),
        ),
        migrations.AddField(
            model_name="removallimit",
            name="decision",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="limits", to="registry.removaldecision"
            ),
        ),
        migrations.AddField(
            model_name="removallimit",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.region"
            ),
        ),
        migrations.AddField(
            model_name="removalpermit",
            name="limit",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="permits",
                to="registry.removallimit",
            ),
        ),
        migrations.AddConstraint(
            model_name="removalpermit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("withdraw_reason", ""), ("withdrawn_at", None), ("withdrawn_by", None)),
                    models.Q(
                        ("withdrawn_at__isnull", False),
                        ("withdrawn_by__isnull", False),
                        models.Q(("withdraw_reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="permit_withdrawn_all_or_none",
            ),
        ),
        migrations.AddField(
            model_name="slaughterpoint",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.region"
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="slaughter_point",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="registry.slaughterpoint",
            ),
        ),
        migrations.AddIndex(
            model_name="dailysheet",
            index=models.Index(fields=["permit", "on"], name="registry_da_permit__ec8b79_idx"),
        ),
        migrations.AddIndex(
            model_name="dailysheet",
            index=models.Index(fields=["on"], name="registry_da_on_ddc106_idx"),
        ),
        migrations.AddConstraint(
            model_name="dailysheet",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("brigade", "permit", "on"),
                name="one_sheet_per_brigade_permit_and_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailysheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("closed_by", None), ("state", "open")),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        ("state__in", ["signed", "withdrawn"]),
                    ),
                    _connector="OR",
                ),
                name="sheet_closed_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="dailysheet",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "withdrawn"), models.Q(("withdraw_reason", ""), _negated=True)),
                    models.Q(models.Q(("state", "withdrawn"), _negated=True), ("withdraw_reason", "")),
                    _connector="OR",
                ),
                name="withdrawn_sheet_has_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="removaldecision",
            constraint=models.CheckConstraint(
                condition=models.Q(("decided_on__gte", models.F("basis_on"))), name="decision_not_before_its_basis"
            ),
        ),
        migrations.AddConstraint(
            model_name="removallimit",
            constraint=models.UniqueConstraint(
                fields=("decision", "population", "region", "sex"), name="one_limit_per_population_region_and_sex"
            ),
        ),
        migrations.AddConstraint(
            model_name="removallimit",
            constraint=models.CheckConstraint(condition=models.Q(("animals__gt", 0)), name="limit_lets_something"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("slaughter_point", None), ("store__isnull", False)),
                    models.Q(("slaughter_point__isnull", False), ("store", None)),
                    _connector="OR",
                ),
                name="delivery_goes_to_one_place",
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.CheckConstraint(
                condition=models.Q(("carcasses__gt", 0)), name="delivery_brings_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("sheet", "store"), name="one_delivery_per_store"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(
                fields=("sheet", "slaughter_point"), name="one_delivery_per_slaughter_point"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="intake",
            trigger=pgtrigger.compiler.Trigger(
                name="reception_fits_its_sheet",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."sheet_id" IS NOT NULL)',
                    declare="DECLARE of_sheet record;",
                    func="\n            SELECT brigade_id, permit_id, \"on\", state INTO of_sheet\n            FROM registry_dailysheet WHERE id = NEW.sheet_id FOR SHARE;\n            IF of_sheet.state = 'withdrawn' OR (NEW.brigade_id, NEW.permit_id, NEW.\"on\")\n                IS DISTINCT FROM (of_sheet.brigade_id, of_sheet.permit_id, of_sheet.\"on\") THEN\n                RAISE EXCEPTION 'reception % does not fit its daily sheet', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'reception_fits_its_sheet';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="215aa1e83e7c59df9dc03668c8eb616c2f962bb1",
                    operation='INSERT OR UPDATE OF "sheet_id", "permit_id", "brigade_id", "on"',
                    pgid="pgtrigger_reception_fits_its_sheet_b901f",
                    table="registry_intake",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removalpermit",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="607512354a3af89adc74f2e9bad3450631df416c",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_5cc42",
                    table="registry_removalpermit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removalpermit",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="3b51bb57a8496d1e4ca8c65beb84bfb4ffea9fbe",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_c8194",
                    table="registry_removalpermit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removalpermit",
            trigger=pgtrigger.compiler.Trigger(
                name="removal_permit_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."season_id" IS DISTINCT FROM (NEW."season_id") OR OLD."limit_id" IS DISTINCT FROM (NEW."limit_id") OR OLD."population" IS DISTINCT FROM (NEW."population") OR OLD."region_id" IS DISTINCT FROM (NEW."region_id") OR OLD."sex" IS DISTINCT FROM (NEW."sex") OR OLD."holder_id" IS DISTINCT FROM (NEW."holder_id") OR OLD."animals_limit" IS DISTINCT FROM (NEW."animals_limit"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="8c9f149f321ed48db8098544e28586d98ce1c736",
                    operation="UPDATE",
                    pgid="pgtrigger_removal_permit_is_fixed_bb36c",
                    table="registry_removalpermit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removalpermit",
            trigger=pgtrigger.compiler.Trigger(
                name="permits_keep_to_their_limit",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE line record; given bigint;",
                    func="\n            IF NEW.limit_id IS NULL THEN\n                RETURN NULL;\n            END IF;\n            SELECT l.animals, l.population, l.region_id, l.sex, d.season_id INTO line\n            FROM registry_removallimit l JOIN registry_removaldecision d ON d.id = l.decision_id\n            WHERE l.id = NEW.limit_id FOR NO KEY UPDATE OF l;\n            IF (NEW.season_id, NEW.population, NEW.region_id, NEW.sex)\n                IS DISTINCT FROM (line.season_id, line.population, line.region_id, line.sex) THEN\n                RAISE EXCEPTION 'removal permit % is for something else than its line of the decision', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permit_fits_its_limit';\n            END IF;\n            SELECT sum(animals_limit) INTO given FROM registry_removalpermit\n            WHERE limit_id = NEW.limit_id AND withdrawn_at IS NULL;\n            IF given > line.animals THEN\n                RAISE EXCEPTION 'removal permits let % animals, their line of the decision %', given, line.animals\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'permits_keep_to_their_limit';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c985b9f05565dd716f86b781cd21beff43e71ca6",
                    operation='INSERT OR UPDATE OF "withdrawn_at"',
                    pgid="pgtrigger_permits_keep_to_their_limit_e9ae5",
                    table="registry_removalpermit",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d51ce711351e82b19d25a700b394dcebd0805557",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_99957",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="f18f46abc197ff8fac7ab40696ca66c2c35c044d",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_5416d",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="sheet_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."brigade_id" IS DISTINCT FROM (NEW."brigade_id") OR OLD."permit_id" IS DISTINCT FROM (NEW."permit_id") OR OLD."on" IS DISTINCT FROM (NEW."on") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."entered_by_id" IS DISTINCT FROM (NEW."entered_by_id") OR OLD."entered_at" IS DISTINCT FROM (NEW."entered_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="9da91e7471439af2a460e8f05772d29c10e29d93",
                    operation="UPDATE",
                    pgid="pgtrigger_sheet_is_fixed_7e536",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="withdrawn_sheet_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" = 'withdrawn')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ba3af977d86ae5371d6a9104541e8f90425961b4",
                    operation="UPDATE",
                    pgid="pgtrigger_withdrawn_sheet_stays_98e08",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="sheet_fits_its_papers",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NOT EXISTS (\n                SELECT FROM registry_removalpermit p\n                JOIN registry_brigade b ON (b.season_id, b.region_id) = (p.season_id, p.region_id)\n                JOIN registry_season s ON s.id = p.season_id\n                WHERE p.id = NEW.permit_id AND b.id = NEW.brigade_id AND NEW.\"on\" BETWEEN s.starts_on AND s.ends_on\n            ) THEN\n                RAISE EXCEPTION 'sheet % does not fit its permit and brigade', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_fits_its_papers';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="882240bef5a23e8f3f26c7b16b464c93052b37e3",
                    operation="INSERT",
                    pgid="pgtrigger_sheet_fits_its_papers_1da79",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="closed_sheet_keeps_its_figures",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF OLD.state <> 'open' AND\n                (OLD.males, OLD.females, OLD.young, OLD.carcasses, OLD.unusable, OLD.horns_cut, OLD.note)\n                IS DISTINCT FROM\n                (NEW.males, NEW.females, NEW.young, NEW.carcasses, NEW.unusable, NEW.horns_cut, NEW.note)\n            THEN\n                RAISE EXCEPTION 'sheet % is closed', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_sheet_keeps_its_figures';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="c8c7a7ed505e8f7c3108d740967d3bd4f1f221e3",
                    operation="UPDATE",
                    pgid="pgtrigger_closed_sheet_keeps_its_figures_30c74",
                    table="registry_dailysheet",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="sheet_with_receptions_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" = 'withdrawn')",
                    func="\n            IF EXISTS (SELECT FROM registry_intake WHERE sheet_id = NEW.id AND state <> 'cancelled') THEN\n                RAISE EXCEPTION 'sheet % has receptions', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_with_receptions_stays';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="1afc4d61bb321cb41f9990a7c5a873c1d5c8859b",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_sheet_with_receptions_stays_4832e",
                    table="registry_dailysheet",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="dailysheet",
            trigger=pgtrigger.compiler.Trigger(
                name="sheet_adds_up",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\n            IF EXISTS (\n                SELECT FROM registry_dailysheet s WHERE s.id = NEW.id AND s.carcasses <> (\n                    SELECT coalesce(sum(carcasses), 0) FROM registry_delivery WHERE sheet_id = s.id\n                )\n            ) THEN\n                RAISE EXCEPTION 'the deliveries of sheet % are not what it says', NEW.id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_adds_up';\n            END IF;\n            RETURN NULL;\n",
                    hash="2edce2f8be7e452641dec4153271c0b52f4cf71c",
                    operation='INSERT OR UPDATE OF "carcasses"',
                    pgid="pgtrigger_sheet_adds_up_fe03f",
                    table="registry_dailysheet",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removaldecision",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="18898ec0f3fa560d82ae527597d2d312d1694d10",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_f1c43",
                    table="registry_removaldecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removaldecision",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="958be53952ae5c23d251481f17aaa50d16de7411",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_0868d",
                    table="registry_removaldecision",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removallimit",
            trigger=pgtrigger.compiler.Trigger(
                name="append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="27de3502bddb6f4a77f4b7f49e1dfcb1dacb792e",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_append_only_51908",
                    table="registry_removallimit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="removallimit",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="c90fa6d1e7bddc7e58f0df608474c66d8d732a18",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_8aaf9",
                    table="registry_removallimit",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="delivery",
            trigger=pgtrigger.compiler.Trigger(
                name="deliveries_belong_to_open_sheet",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                SELECT FROM registry_dailysheet\n                WHERE id IN (NEW.sheet_id, OLD.sheet_id) AND state <> 'open'\n            ) THEN\n                RAISE EXCEPTION 'the deliveries of a closed sheet stay'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'deliveries_belong_to_open_sheet';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="a32b5496867b6b4b7b27af5c47a8486724ccb320",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_deliveries_belong_to_open_sheet_35cc4",
                    table="registry_delivery",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="delivery",
            trigger=pgtrigger.compiler.Trigger(
                name="deliveries_add_up",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    constraint="CONSTRAINT",
                    func="\n            IF EXISTS (\n                SELECT FROM registry_dailysheet s WHERE s.id = coalesce(NEW.sheet_id, OLD.sheet_id) AND s.carcasses <> (\n                    SELECT coalesce(sum(carcasses), 0) FROM registry_delivery WHERE sheet_id = s.id\n                )\n            ) THEN\n                RAISE EXCEPTION 'the deliveries of sheet % are not what it says', coalesce(NEW.sheet_id, OLD.sheet_id)\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'sheet_adds_up';\n            END IF;\n            RETURN NULL;\n",
                    hash="ef5dadae2e78cacf41e2fd9aea8d347d40601732",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_deliveries_add_up_66ab4",
                    table="registry_delivery",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
    ]
