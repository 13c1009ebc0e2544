"""Papers of loss, write-off and destruction, and what guards them in the ledger."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# What was reported lost, or is to be destroyed, is let go by the act that settles it; and what leaves by such an act
# was named in it.
GUARDS = """
CREATE FUNCTION custody_hold_is_lifted_by_its_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind = 'loss' AND (
            NOT EXISTS (SELECT FROM custody_lossline WHERE item_id = NEW.item_id)
            OR EXISTS (SELECT FROM custody_lossline WHERE item_id = NEW.item_id AND outcome = 'open')
        )
        OR OLD.kind = 'to_destroy' AND EXISTS (
            SELECT FROM custody_destructionline l JOIN custody_destructionorder o ON o.id = l.order_id
            WHERE l.item_id = NEW.item_id AND l.outcome = 'planned' AND o.state <> 'cancelled'
        )
        OR OLD.kind = 'court' AND EXISTS (
            SELECT FROM registry_decideditem d
            WHERE d.item_id = NEW.item_id AND d.is_confirmed AND d.outcome = 'destroy'
        ) AND NOT EXISTS (
            SELECT FROM custody_destructionline l WHERE l.item_id = NEW.item_id AND l.outcome = 'destroyed'
        ) AND NOT EXISTS (
            SELECT FROM custody_lossline l WHERE l.item_id = NEW.item_id AND l.outcome = 'written_off'
        )
    THEN
        RAISE EXCEPTION 'no act settles item %', NEW.item_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hold_is_lifted_by_its_act';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER hold_is_lifted_by_its_act BEFORE UPDATE ON ledger_hold FOR EACH ROW
    WHEN (OLD.kind IN ('loss', 'to_destroy', 'court') AND OLD.lifted_at IS NULL AND NEW.lifted_at IS NOT NULL)
    EXECUTE FUNCTION custody_hold_is_lifted_by_its_act();

CREATE FUNCTION custody_goods_leave_by_their_act() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT * FROM ledger_posting WHERE movement_id = NEW.id OFFSET 0) p
        WHERE NOT CASE NEW.kind
            WHEN 'destruction' THEN EXISTS (
                SELECT FROM custody_destructionline l JOIN custody_destructionorder o ON o.id = l.order_id
                WHERE l.item_id = p.item_id AND l.outcome = 'destroyed' AND NEW.key = 'destruction:' || o.id
            )
            WHEN 'write_off' THEN EXISTS (
                SELECT FROM custody_lossline l WHERE l.item_id = p.item_id AND l.outcome = 'written_off'
            )
            ELSE EXISTS (
                SELECT FROM custody_lossline l WHERE l.item_id = p.item_id AND l.outcome = 'recovered'
            ) END
    ) THEN
        RAISE EXCEPTION 'movement % takes what no act names', NEW.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'goods_leave_by_their_act';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER goods_leave_by_their_act AFTER INSERT ON ledger_movement
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.kind IN ('destruction', 'write_off', 'recovery'))
    EXECUTE FUNCTION custody_goods_leave_by_their_act();
"""
NO_GUARDS = """
DROP TRIGGER goods_leave_by_their_act ON ledger_movement;
DROP TRIGGER hold_is_lifted_by_its_act ON ledger_hold;
DROP FUNCTION custody_goods_leave_by_their_act;
DROP FUNCTION custody_hold_is_lifted_by_its_act;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("documents", "0002_attachments"),
        ("ledger", "0009_holds"),
        ("registry", "0004_cases"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DestructionOrder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("court", "Court decision"),
                            ("spoilage", "Spoiled in store"),
                            ("unfit", "Not fit for use"),
                        ],
                        max_length=8,
                        verbose_name="basis",
                    ),
                ),
                ("basis_paper", models.CharField(max_length=200, verbose_name="paper of the basis")),
                ("planned_on", models.DateField(verbose_name="planned for")),
                ("place", models.CharField(blank=True, max_length=200, verbose_name="place of the destruction")),
                ("method", models.CharField(blank=True, max_length=200, verbose_name="method")),
                ("quorum", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("planned", "List is being scanned"),
                            ("signing", "Commission signs"),
                            ("executed", "Destroyed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        max_length=9,
                    ),
                ),
                ("mass_before_g", models.PositiveBigIntegerField(null=True, verbose_name="mass before")),
                ("mass_after_g", models.PositiveBigIntegerField(null=True, verbose_name="mass of the remains")),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("ordered_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("cancel_reason", models.CharField(blank=True, max_length=500)),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "ordered_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "paper_en",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "paper_kk",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "paper_ru",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="destructions",
                        to="ledger.custodyaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="DestructionLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("booked_g", models.PositiveBigIntegerField()),
                ("weighed_g", models.PositiveBigIntegerField(null=True)),
                ("scanned_at", models.DateTimeField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[("planned", "On the list"), ("destroyed", "Destroyed"), ("left", "Not destroyed")],
                        default="planned",
                        max_length=9,
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="destruction_lines", to="ledger.item"
                    ),
                ),
                (
                    "scanned_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="custody.destructionorder",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="CommissionMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("full_name", models.CharField(max_length=200, verbose_name="full name")),
                ("post", models.CharField(max_length=200, verbose_name="post and organisation")),
                ("signed_at", models.DateTimeField(null=True)),
                ("signed_digest", models.CharField(blank=True, max_length=64)),
                (
                    "picture",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "taken_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="commissions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="custody.destructionorder",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="LossAct",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "kind",
                    models.CharField(choices=[("recovery", "Found again"), ("write_off", "Written off")], max_length=9),
                ),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("proposed", "Waits for a second person"),
                            ("approved", "Approved"),
                            ("refused", "Refused"),
                        ],
                        default="proposed",
                        max_length=8,
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                ("decide_reason", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "paper_kk",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "paper_ru",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="documents.document",
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="ledger.custodyaccount",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="LossReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("loss", "Loss of goods"),
                            ("theft", "Theft"),
                            ("transit", "Missing on arrival"),
                            ("stocktake", "Missing in a stock-take"),
                        ],
                        max_length=9,
                        verbose_name="kind",
                    ),
                ),
                ("place", models.CharField(max_length=200, verbose_name="place")),
                ("noticed_on", models.DateField(verbose_name="noticed on")),
                ("circumstances", models.TextField(verbose_name="circumstances")),
                (
                    "police_number",
                    models.CharField(blank=True, max_length=60, verbose_name="number of the report to the police"),
                ),
                ("reference", models.CharField(blank=True, max_length=20)),
                ("reported_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="loss_reports",
                        to="ledger.custodyaccount",
                    ),
                ),
                (
                    "reported_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="LossLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outcome",
                    models.CharField(
                        choices=[("open", "Missing"), ("recovered", "Found again"), ("written_off", "Written off")],
                        default="open",
                        max_length=11,
                    ),
                ),
                (
                    "act",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="custody.lossact",
                    ),
                ),
                (
                    "item",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="loss_lines", to="ledger.item"
                    ),
                ),
                (
                    "report",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="custody.lossreport",
                    ),
                ),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.AddField(
            model_name="lossact",
            name="report",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="acts", to="custody.lossreport"
            ),
        ),
        migrations.AddIndex(
            model_name="destructionorder",
            index=models.Index(fields=["store", "state"], name="custody_des_store_i_211695_idx"),
        ),
        migrations.AddConstraint(
            model_name="destructionorder",
            constraint=models.CheckConstraint(
                condition=models.Q(("quorum__gte", 3)), name="commission_is_of_three_or_more"
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_at", None), ("ended_by", None), ("state__in", ["planned", "signing"])),
                    models.Q(
                        ("ended_at__isnull", False),
                        ("ended_by__isnull", False),
                        ("state__in", ["executed", "cancelled"]),
                    ),
                    _connector="OR",
                ),
                name="destruction_ended_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "cancelled"), _negated=True),
                    models.Q(("cancel_reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="cancelled_destruction_says_why",
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["planned", "cancelled"]),
                    models.Q(
                        ("mass_after_g__lte", models.F("mass_before_g")),
                        ("mass_before_g__gt", 0),
                        models.Q(("digest", ""), _negated=True),
                        models.Q(("place", ""), _negated=True),
                        models.Q(("method", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="destruction_is_weighed_before_it_is_signed",
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionorder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "executed"), _negated=True),
                    models.Q(("paper_en__isnull", False), ("paper_kk__isnull", False), ("paper_ru__isnull", False)),
                    _connector="OR",
                ),
                name="executed_destruction_has_its_papers",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="f1c3f5196eb2e782d2f3a6c019ecf36ee8932b67",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_246a5",
                    table="custody_destructionorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="90b722b71928c9d5a481d7907abb10e5a0c2a072",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_6bdb2",
                    table="custody_destructionorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."store_id" IS DISTINCT FROM (NEW."store_id") OR OLD."basis" IS DISTINCT FROM (NEW."basis") OR OLD."quorum" IS DISTINCT FROM (NEW."quorum") OR OLD."ordered_by_id" IS DISTINCT FROM (NEW."ordered_by_id") OR OLD."ordered_at" IS DISTINCT FROM (NEW."ordered_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="0ee73b1d17dbc2016e08d5f7ced11a3b1fe3e870",
                    operation="UPDATE",
                    pgid="pgtrigger_destruction_is_fixed_c9fbf",
                    table="custody_destructionorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_ended_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" = 'executed' OR OLD.\"state\" = 'cancelled')",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="3578e4da6b1c693da41cd1ea7cc15aec5515db85",
                    operation="UPDATE",
                    pgid="pgtrigger_destruction_ended_for_good_fc4dc",
                    table="custody_destructionorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_is_signed_by_its_commission",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'INSERT' AND NEW.state <> 'planned' OR NEW.state = 'executed' AND (\n                OLD.state <> 'signing' OR OLD.digest <> NEW.digest OR NOT EXISTS (\n                    SELECT FROM custody_commissionmember m WHERE m.order_id = NEW.id\n                    HAVING count(*) >= greatest(3, NEW.quorum)\n                    AND count(*) = count(*) FILTER (WHERE m.signed_digest = NEW.digest)\n                    AND count(*) FILTER (WHERE m.user_id IS NOT NULL AND m.user_id <> NEW.ordered_by_id) >= 1\n                )\n            ) THEN\n                RAISE EXCEPTION 'destruction % is not signed by its commission', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_is_signed_by_its_commission';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="6832edac5abc35d433d8a4f2484afa60bd24bf78",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_destruction_is_signed_by_its_commission_b97f9",
                    table="custody_destructionorder",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionorder",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_moves_its_goods",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NEW.\"state\" = 'executed')",
                    constraint="CONSTRAINT",
                    func="\n            IF EXISTS (SELECT FROM custody_destructionline WHERE order_id = NEW.id AND outcome = 'planned')\n                OR NOT EXISTS (SELECT FROM custody_destructionline WHERE order_id = NEW.id AND outcome = 'destroyed')\n                OR EXISTS (\n                    SELECT FROM custody_destructionline l WHERE l.order_id = NEW.id AND l.outcome = 'destroyed'\n                    AND NOT EXISTS (\n                        SELECT FROM ledger_posting p JOIN ledger_movement m ON m.id = p.movement_id\n                        WHERE p.item_id = l.item_id AND p.pieces > 0 AND m.key = 'destruction:' || NEW.id\n                    )\n                )\n            THEN\n                RAISE EXCEPTION 'destruction % has not moved what it destroyed', NEW.number\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_moves_its_goods';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="c8199d441b5ae4305255beefe9182449e0da7a1d",
                    operation='UPDATE OF "state"',
                    pgid="pgtrigger_destruction_moves_its_goods_67c36",
                    table="custody_destructionorder",
                    timing="DEFERRABLE INITIALLY DEFERRED",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionline",
            constraint=models.UniqueConstraint(fields=("order", "item"), name="one_destruction_line_per_item"),
        ),
        migrations.AddConstraint(
            model_name="destructionline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("scanned_at", None), ("scanned_by", None)),
                    models.Q(("scanned_at__isnull", False), ("scanned_by__isnull", False)),
                    _connector="OR",
                ),
                name="destruction_scan_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="destructionline",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("outcome", "destroyed"), _negated=True), ("scanned_at__isnull", False), _connector="OR"
                ),
                name="only_what_was_in_hand_is_destroyed",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionline",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="fa11692d1b1d6e453c2defb9d78335b4b03fab83",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_0aa9a",
                    table="custody_destructionline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionline",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="31d0974187756fac30a21cfeadf89e2f30dcb27d",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_7fe2a",
                    table="custody_destructionline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionline",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_line_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."booked_g" IS DISTINCT FROM (NEW."booked_g"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="903cea418f6dad4b3940f59a88a54504b3b78e9c",
                    operation="UPDATE",
                    pgid="pgtrigger_destruction_line_is_fixed_c3a21",
                    table="custody_destructionline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="destructionline",
            trigger=pgtrigger.compiler.Trigger(
                name="destruction_list_is_fixed_when_signed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE its_state text;",
                    func="\n            SELECT state INTO its_state FROM custody_destructionorder WHERE id = NEW.order_id;\n            IF TG_OP = 'INSERT' AND (its_state <> 'planned' OR NEW.outcome <> 'planned')\n                OR TG_OP = 'UPDATE' AND (\n                    OLD.outcome = 'destroyed'\n                    OR (NEW.weighed_g, NEW.scanned_by_id, NEW.scanned_at)\n                        IS DISTINCT FROM (OLD.weighed_g, OLD.scanned_by_id, OLD.scanned_at) AND its_state <> 'planned'\n                    OR NEW.outcome <> OLD.outcome AND NOT (\n                        its_state = 'executed' AND NEW.outcome IN ('destroyed', 'left')\n                        OR its_state IN ('planned', 'cancelled') AND NEW.outcome <> 'destroyed'\n                    )\n                )\n            THEN\n                RAISE EXCEPTION 'the list of destruction % is closed', NEW.order_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'destruction_list_is_fixed_when_signed';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="e7f870a6046e4f9e6c0658b76a8fb67e74e21a4a",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_destruction_list_is_fixed_when_signed_f2b35",
                    table="custody_destructionline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionmember",
            constraint=models.UniqueConstraint(
                condition=models.Q(("user__isnull", False)), fields=("order", "user"), name="one_seat_per_person"
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionmember",
            constraint=models.UniqueConstraint(fields=("order", "full_name"), name="one_seat_per_name"),
        ),
        migrations.AddConstraint(
            model_name="commissionmember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("picture", None), ("signed_at", None), ("signed_digest", ""), ("taken_by", None)),
                    models.Q(
                        ("signed_at__isnull", False),
                        ("taken_by__isnull", False),
                        models.Q(("signed_digest", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="commission_signature_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="commissionmember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("signed_at", None),
                    models.Q(("user", models.F("taken_by")), ("user__isnull", False)),
                    models.Q(("picture__isnull", False), ("user", None)),
                    _connector="OR",
                ),
                name="members_sign_themselves_and_witnesses_draw",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="commissionmember",
            trigger=pgtrigger.compiler.Trigger(
                name="seat_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."order_id" IS DISTINCT FROM (NEW."order_id") OR OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."full_name" IS DISTINCT FROM (NEW."full_name") OR OLD."post" IS DISTINCT FROM (NEW."post"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ece488e7a940fbaec43dbe516c8f24603f47bf9e",
                    operation="UPDATE",
                    pgid="pgtrigger_seat_is_fixed_41c34",
                    table="custody_commissionmember",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="commissionmember",
            trigger=pgtrigger.compiler.Trigger(
                name="commission_sits_while_the_order_lives",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE its_state text; its_digest text;",
                    func="\n            SELECT state, digest INTO its_state, its_digest FROM custody_destructionorder\n            WHERE id = (CASE WHEN TG_OP = 'DELETE' THEN OLD.order_id ELSE NEW.order_id END);\n            IF TG_OP <> 'UPDATE' AND its_state <> 'planned' OR TG_OP = 'UPDATE' AND NOT (\n                its_state = 'signing' AND OLD.signed_at IS NULL AND NEW.signed_digest = its_digest\n                OR its_state = 'planned' AND NEW.signed_at IS NULL\n            ) OR TG_OP = 'INSERT' AND NEW.signed_at IS NOT NULL THEN\n                RAISE EXCEPTION 'the commission of this destruction does not change now'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'commission_sits_while_the_order_lives';\n            END IF;\n            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;\n            RETURN NEW;\n        ",
                    hash="bd29e7fd42b169d649e06be9694d1bf46e21e36c",
                    operation="INSERT OR UPDATE OR DELETE",
                    pgid="pgtrigger_commission_sits_while_the_order_lives_851e9",
                    table="custody_commissionmember",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="lossreport",
            constraint=models.CheckConstraint(
                condition=models.Q(("circumstances", ""), _negated=True), name="loss_report_says_what_happened"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossreport",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="8a55884b508fa58ca1d7370c40e51ab6e9a65e3c",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_f6b86",
                    table="custody_lossreport",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossreport",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="c3e9167b6ec6bfbeaf2d6e9fb5ca98f43f17e7cb",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_69e2a",
                    table="custody_lossreport",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossreport",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_report_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."noticed_on" IS DISTINCT FROM (NEW."noticed_on") OR OLD."circumstances" IS DISTINCT FROM (NEW."circumstances") OR OLD."reference" IS DISTINCT FROM (NEW."reference") OR OLD."reported_by_id" IS DISTINCT FROM (NEW."reported_by_id") OR OLD."reported_at" IS DISTINCT FROM (NEW."reported_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="044cc3174da21332b31701dbfe5e35b73cc4de88",
                    operation="UPDATE",
                    pgid="pgtrigger_loss_report_is_fixed_5234b",
                    table="custody_lossreport",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="lossline",
            constraint=models.UniqueConstraint(fields=("report", "item"), name="one_loss_line_per_item"),
        ),
        migrations.AddConstraint(
            model_name="lossline",
            constraint=models.UniqueConstraint(
                condition=models.Q(("outcome", "open")), fields=("item",), name="one_open_loss_of_an_item"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossline",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="de9df65ed0bc4cbf4d99704a7cd89e57c0d833f8",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_6ec00",
                    table="custody_lossline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossline",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="147ed380141793b22d132435d981e24564bd7fc8",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_9a6b1",
                    table="custody_lossline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossline",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_line_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."report_id" IS DISTINCT FROM (NEW."report_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="07cbff6870bdd6e6364e37608a6de5ef4ea5f2d5",
                    operation="UPDATE",
                    pgid="pgtrigger_loss_line_is_fixed_2c132",
                    table="custody_lossline",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossline",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_is_settled_by_an_approved_act",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF NEW.outcome <> 'open' AND (TG_OP = 'INSERT' OR NOT EXISTS (\n                SELECT FROM custody_lossact a WHERE a.id = NEW.act_id AND a.report_id = NEW.report_id\n                AND a.state = 'approved'\n                AND a.kind = CASE NEW.outcome WHEN 'recovered' THEN 'recovery' ELSE 'write_off' END\n            )) OR TG_OP = 'UPDATE' AND OLD.outcome <> 'open' THEN\n                RAISE EXCEPTION 'no approved act settles item % of report %', NEW.item_id, NEW.report_id\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'loss_is_settled_by_an_approved_act';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="831f1166c579137fe2bbaad984b5872d37dec9bb",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_loss_is_settled_by_an_approved_act_20a58",
                    table="custody_lossline",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="lossact",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="loss_act_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="lossact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "recovery"), ("target__isnull", False)),
                    models.Q(("kind", "write_off"), ("target", None)),
                    _connector="OR",
                ),
                name="recovery_names_the_store",
            ),
        ),
        migrations.AddConstraint(
            model_name="lossact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "approved"), _negated=True),
                    models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                    _connector="OR",
                ),
                name="loss_act_needs_two_persons",
            ),
        ),
        migrations.AddConstraint(
            model_name="lossact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("state", "proposed")),
                    models.Q(
                        models.Q(("state", "proposed"), _negated=True),
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="loss_act_decided_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="lossact",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "proposed")), fields=("report",), name="one_loss_act_waits"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossact",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="270516a379b23a26fb7cef3b48b955e4d8f7cc06",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_e49d6",
                    table="custody_lossact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossact",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="d0260c5c0fa5a7d6b18105a76402e3f57bac37f1",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_a3264",
                    table="custody_lossact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossact",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_act_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."number" IS DISTINCT FROM (NEW."number") OR OLD."report_id" IS DISTINCT FROM (NEW."report_id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."target_id" IS DISTINCT FROM (NEW."target_id") OR OLD."proposed_by_id" IS DISTINCT FROM (NEW."proposed_by_id") OR OLD."proposed_at" IS DISTINCT FROM (NEW."proposed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="556359ed93ddff6fb489261ada7f6ac0ed6e4e34",
                    operation="UPDATE",
                    pgid="pgtrigger_loss_act_is_fixed_6cac6",
                    table="custody_lossact",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="lossact",
            trigger=pgtrigger.compiler.Trigger(
                name="loss_act_decided_for_good",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (NOT (OLD.\"state\" = 'proposed'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ac2e6b0aaa753ba3a837344e275c3084249a4380",
                    operation="UPDATE",
                    pgid="pgtrigger_loss_act_decided_for_good_9ddf7",
                    table="custody_lossact",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.RunSQL(GUARDS, NO_GUARDS),
    ]
