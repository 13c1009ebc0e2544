import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0004_returned"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Box",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sscc", models.CharField(max_length=18, unique=True)),
                ("kind", models.CharField(choices=[("box", "Box"), ("pallet", "Pallet")], default="box", max_length=6)),
                ("seal_number", models.CharField(blank=True, max_length=40, verbose_name="seal")),
                ("sealed_at", models.DateTimeField(null=True)),
                ("begun_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Packing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("packed_at", models.DateTimeField()),
                ("taken_out_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="Placement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("placed_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="Shelf",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.CharField(max_length=20, verbose_name="shelf")),
                ("name", models.CharField(blank=True, max_length=100, verbose_name="room and rack")),
                ("is_active", models.BooleanField(default=True, verbose_name="in use")),
            ],
            options={
                "ordering": ["account", "code"],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="posting",
            trigger=pgtrigger.compiler.Trigger(
                name="posting_moves_boxes",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE touched bigint[]; pallets bigint[]; wrong text;",
                    func="\n            SELECT array_agg(DISTINCT k.box_id) INTO touched\n            FROM posted p JOIN ledger_custodyaccount a ON a.id = p.account_id AND a.is_physical\n            JOIN ledger_packing k ON k.item_id = p.item_id AND k.taken_out_at IS NULL\n            WHERE p.pieces < 0;\n\n            IF touched IS NOT NULL THEN\n                SELECT coalesce(array_agg(DISTINCT parent_id) FILTER (WHERE parent_id IS NOT NULL), '{}')\n                INTO pallets FROM ledger_box WHERE id = ANY (touched);\n                PERFORM FROM ledger_box WHERE id = ANY (touched || pallets) ORDER BY id FOR NO KEY UPDATE;\n\n                SELECT format('sealed_box_moves_whole: box %s', min(sscc)) INTO wrong FROM (\n                    SELECT b.sscc FROM ledger_box b\n                    JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL\n                    LEFT JOIN ledger_holding h ON h.item_id = k.item_id AND h.is_physical AND h.pieces > 0\n                    WHERE b.id = ANY (touched) AND b.seal_number <> ''\n                    GROUP BY b.id HAVING count(DISTINCT coalesce(h.account_id, 0)) > 1\n                ) torn HAVING count(*) > 0;\n                IF wrong IS NOT NULL THEN\n                    RAISE EXCEPTION '%', wrong\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_moves_whole';\n                END IF;\n\n                -- Whole boxes follow their content.\n                UPDATE ledger_box b SET account_id = whole.account_id FROM (\n                    SELECT k.box_id, min(h.account_id) AS account_id FROM ledger_packing k\n                    LEFT JOIN ledger_holding h ON h.item_id = k.item_id AND h.is_physical AND h.pieces > 0\n                    WHERE k.box_id = ANY (touched) AND k.taken_out_at IS NULL\n                    GROUP BY k.box_id HAVING count(DISTINCT h.account_id) = 1 AND count(h.account_id) = count(*)\n                ) whole WHERE b.id = whole.box_id AND b.account_id <> whole.account_id;\n                -- What went without its box is taken out of it; a box whose content left the system has no seal.\n                UPDATE ledger_packing k SET taken_out_at = now() FROM ledger_box b\n                WHERE b.id = k.box_id AND b.id = ANY (touched) AND k.taken_out_at IS NULL AND NOT EXISTS (\n                    SELECT FROM ledger_holding h\n                    WHERE h.item_id = k.item_id AND h.account_id = b.account_id AND h.pieces > 0\n                );\n                UPDATE ledger_box b SET seal_number = '', sealed_by_id = NULL, sealed_at = NULL\n                WHERE b.id = ANY (touched) AND b.seal_number <> '' AND NOT EXISTS (\n                    SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL\n                );\n\n                IF pallets <> '{}' THEN\n                    SELECT format('sealed_box_moves_whole: pallet %s', min(sscc)) INTO wrong FROM (\n                        SELECT p.sscc FROM ledger_box p\n                        JOIN ledger_box b ON b.parent_id = p.id\n                        JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL\n                        WHERE p.id = ANY (pallets) AND p.seal_number <> ''\n                        GROUP BY p.id HAVING count(DISTINCT b.account_id) > 1\n                    ) torn HAVING count(*) > 0;\n                    IF wrong IS NOT NULL THEN\n                        RAISE EXCEPTION '%', wrong\n                            USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_moves_whole';\n                    END IF;\n                    UPDATE ledger_box p SET account_id = whole.account_id FROM (\n                        SELECT b.parent_id, min(b.account_id) AS account_id FROM ledger_box b\n                        WHERE b.parent_id = ANY (pallets)\n                          AND EXISTS (SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL)\n                        GROUP BY b.parent_id HAVING count(DISTINCT b.account_id) = 1\n                    ) whole WHERE p.id = whole.parent_id AND p.account_id <> whole.account_id;\n                    -- Empty boxes stay on their pallet; others that went without it stand on it no more.\n                    UPDATE ledger_box b SET account_id = p.account_id FROM ledger_box p\n                    WHERE p.id = b.parent_id AND p.id = ANY (pallets) AND b.account_id <> p.account_id\n                      AND NOT EXISTS (\n                          SELECT FROM ledger_packing k WHERE k.box_id = b.id AND k.taken_out_at IS NULL\n                      );\n                    UPDATE ledger_box b SET parent_id = NULL FROM ledger_box p\n                    WHERE p.id = b.parent_id AND p.id = ANY (pallets) AND b.account_id <> p.account_id;\n                    UPDATE ledger_box p SET seal_number = '', sealed_by_id = NULL, sealed_at = NULL\n                    WHERE p.id = ANY (pallets) AND p.seal_number <> '' AND NOT EXISTS (\n                        SELECT FROM ledger_box b JOIN ledger_packing k ON k.box_id = b.id AND k.taken_out_at IS NULL\n                        WHERE b.parent_id = p.id\n                    );\n                END IF;\n\n                UPDATE ledger_placement l SET removed_at = now() FROM ledger_shelf s, ledger_box b\n                WHERE l.box_id = ANY (touched || pallets) AND l.removed_at IS NULL\n                  AND s.id = l.shelf_id AND b.id = l.box_id AND s.account_id <> b.account_id;\n            END IF;\n\n            UPDATE ledger_placement l SET removed_at = now() FROM posted p, ledger_shelf s\n            WHERE p.pieces < 0 AND l.item_id = p.item_id AND l.removed_at IS NULL\n              AND s.id = l.shelf_id AND s.account_id = p.account_id AND NOT EXISTS (\n                SELECT FROM ledger_holding h\n                WHERE h.item_id = l.item_id AND h.account_id = s.account_id AND h.pieces > 0\n            );\n            RETURN NULL;\n        ",
                    hash="f5ea5a3b4bca3a67fa2c55a7952f2f73b7353efa",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_posting_moves_boxes_efacb",
                    referencing="REFERENCING NEW TABLE AS posted ",
                    table="ledger_posting",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="box",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="boxes", to="ledger.custodyaccount"
            ),
        ),
        migrations.AddField(
            model_name="box",
            name="begun_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="box",
            name="parent",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="boxes", to="ledger.box"
            ),
        ),
        migrations.AddField(
            model_name="box",
            name="sealed_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="packing",
            name="box",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="packings", to="ledger.box"
            ),
        ),
        migrations.AddField(
            model_name="packing",
            name="item",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="packings", to="ledger.item"
            ),
        ),
        migrations.AddField(
            model_name="packing",
            name="packed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="packing",
            name="taken_out_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="box",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="placements",
                to="ledger.box",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="item",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="placements",
                to="ledger.item",
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="placed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="shelf",
            name="account",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="shelves", to="ledger.custodyaccount"
            ),
        ),
        migrations.AddField(
            model_name="placement",
            name="shelf",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="placements", to="ledger.shelf"
            ),
        ),
        migrations.AddIndex(
            model_name="box",
            index=models.Index(fields=["account", "kind"], name="ledger_box_account_b141a7_idx"),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(("sscc__regex", "^[0-9]{18}$")), name="box_sscc_is_digits"
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("seal_number", ""), ("sealed_at", None), ("sealed_by", None)),
                    models.Q(
                        models.Q(("seal_number", ""), _negated=True),
                        ("sealed_at__isnull", False),
                        ("sealed_by__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="box_seal_all_or_none",
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(("parent", None), ("kind", "box"), _connector="OR"), name="pallet_stands_on_nothing"
            ),
        ),
        migrations.AddConstraint(
            model_name="box",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parent", None), models.Q(("parent", models.F("pk")), _negated=True), _connector="OR"
                ),
                name="box_is_not_in_itself",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="box",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="806eb22079ef420f262e5bf5ef0a98825d51f863",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_1137b",
                    table="ledger_box",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="box",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="0ca90db28ad7bcebe0ec1e2c09108e3956407529",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_971d3",
                    table="ledger_box",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="box",
            trigger=pgtrigger.compiler.Trigger(
                name="box_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."sscc" IS DISTINCT FROM (NEW."sscc") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."begun_by_id" IS DISTINCT FROM (NEW."begun_by_id") OR OLD."begun_at" IS DISTINCT FROM (NEW."begun_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="509b04086258dda465f5693fb15f4457a37e7e16",
                    operation="UPDATE",
                    pgid="pgtrigger_box_is_fixed_bdbb5",
                    table="ledger_box",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="box",
            trigger=pgtrigger.compiler.Trigger(
                name="box_follows_its_content",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    declare="DECLARE pallet ledger_box%ROWTYPE; was ledger_box%ROWTYPE;",
                    func="\n            IF TG_OP = 'INSERT' THEN\n                IF NEW.seal_number <> '' OR NEW.parent_id IS NOT NULL OR NOT EXISTS (\n                    SELECT FROM ledger_custodyaccount WHERE id = NEW.account_id AND kind IN ('store', 'evidence')\n                ) THEN\n                    RAISE EXCEPTION 'a box is begun open and empty in a store'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'box_is_begun_in_a_store';\n                END IF;\n                RETURN NEW;\n            END IF;\n            IF pg_trigger_depth() > 1 THEN\n                RETURN NEW;\n            END IF;\n            IF NEW.account_id <> OLD.account_id THEN\n                RAISE EXCEPTION 'box % goes where its content goes', OLD.sscc\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'box_follows_its_content';\n            END IF;\n            IF NEW.seal_number <> OLD.seal_number AND OLD.seal_number <> '' AND NEW.seal_number <> '' THEN\n                RAISE EXCEPTION 'the seal of box % is opened before another is put on', OLD.sscc\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'box_is_sealed_once';\n            END IF;\n            IF NEW.parent_id IS DISTINCT FROM OLD.parent_id THEN\n                IF OLD.parent_id IS NOT NULL THEN\n                    SELECT * INTO was FROM ledger_box WHERE id = OLD.parent_id FOR SHARE;\n                END IF;\n                IF NEW.parent_id IS NOT NULL THEN\n                    SELECT * INTO pallet FROM ledger_box WHERE id = NEW.parent_id FOR SHARE;\n                END IF;\n                IF coalesce(was.seal_number, '') <> '' OR coalesce(pallet.seal_number, '') <> '' THEN\n                    RAISE EXCEPTION 'nothing goes onto or off a sealed pallet'\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_is_closed';\n                END IF;\n                IF NEW.parent_id IS NOT NULL AND (pallet.kind <> 'pallet' OR pallet.account_id <> NEW.account_id) THEN\n                    RAISE EXCEPTION 'box % stands on a pallet of its own store', OLD.sscc\n                        USING ERRCODE = 'check_violation', CONSTRAINT = 'box_and_content_in_one_account';\n                END IF;\n                IF NEW.parent_id IS NOT NULL THEN\n                    UPDATE ledger_placement SET removed_at = now() WHERE box_id = NEW.id AND removed_at IS NULL;\n                END IF;\n            END IF;\n            RETURN NEW;\n        ",
                    hash="eff0b6d23f4b1d0bab51255c0c3133696c7ef8a3",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_box_follows_its_content_b8ef0",
                    table="ledger_box",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="packing",
            constraint=models.UniqueConstraint(
                condition=models.Q(("taken_out_at", None)), fields=("item",), name="item_in_one_box"
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="3e9679c489691ad5b4e89fda53842f224c2a1132",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_297ca",
                    table="ledger_packing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="d19bd444046a20e904beff283e0bf95d32bdc70b",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_abc26",
                    table="ledger_packing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="packing_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."box_id" IS DISTINCT FROM (NEW."box_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."packed_by_id" IS DISTINCT FROM (NEW."packed_by_id") OR OLD."packed_at" IS DISTINCT FROM (NEW."packed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="bb2cba521749547f3db584c07f2a41af265a973d",
                    operation="UPDATE",
                    pgid="pgtrigger_packing_is_fixed_e0ff2",
                    table="ledger_packing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="packing_ends_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."taken_out_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="83de1300ca32736ccea56a8a40c8264bbaf7d2a9",
                    operation="UPDATE",
                    pgid="pgtrigger_packing_ends_once_95feb",
                    table="ledger_packing",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="packing_respects_box_in",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        PERFORM FROM ledger_box WHERE id IN (SELECT box_id FROM touched) ORDER BY id FOR SHARE;\n        IF pg_trigger_depth() < 2 AND EXISTS (\n            SELECT FROM ledger_box WHERE id IN (SELECT box_id FROM touched) AND seal_number <> ''\n        ) THEN\n            RAISE EXCEPTION 'nothing goes into or out of a sealed box'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_is_closed';\n        END IF;\n        IF EXISTS (\n            SELECT FROM touched t JOIN ledger_box b ON b.id = t.box_id\n            LEFT JOIN ledger_holding h ON h.item_id = t.item_id AND h.account_id = b.account_id AND h.pieces > 0\n            WHERE t.taken_out_at IS NULL AND (h.item_id IS NULL OR b.kind <> 'box')\n        ) THEN\n            RAISE EXCEPTION 'an item is packed into a box of the account where it is'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'box_and_content_in_one_account';\n        END IF;\n        UPDATE ledger_placement p SET removed_at = now() FROM touched t\n        WHERE t.taken_out_at IS NULL AND p.item_id = t.item_id AND p.removed_at IS NULL;\n        RETURN NULL;\n    ",
                    hash="1031e1f770383af868522e45228e9d77401efb90",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_packing_respects_box_in_52c64",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="ledger_packing",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="packing",
            trigger=pgtrigger.compiler.Trigger(
                name="packing_respects_box_out",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n        PERFORM FROM ledger_box WHERE id IN (SELECT box_id FROM touched) ORDER BY id FOR SHARE;\n        IF pg_trigger_depth() < 2 AND EXISTS (\n            SELECT FROM ledger_box WHERE id IN (SELECT box_id FROM touched) AND seal_number <> ''\n        ) THEN\n            RAISE EXCEPTION 'nothing goes into or out of a sealed box'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'sealed_box_is_closed';\n        END IF;\n        IF EXISTS (\n            SELECT FROM touched t JOIN ledger_box b ON b.id = t.box_id\n            LEFT JOIN ledger_holding h ON h.item_id = t.item_id AND h.account_id = b.account_id AND h.pieces > 0\n            WHERE t.taken_out_at IS NULL AND (h.item_id IS NULL OR b.kind <> 'box')\n        ) THEN\n            RAISE EXCEPTION 'an item is packed into a box of the account where it is'\n                USING ERRCODE = 'check_violation', CONSTRAINT = 'box_and_content_in_one_account';\n        END IF;\n        UPDATE ledger_placement p SET removed_at = now() FROM touched t\n        WHERE t.taken_out_at IS NULL AND p.item_id = t.item_id AND p.removed_at IS NULL;\n        RETURN NULL;\n    ",
                    hash="eb4f0b7f774bbca2d798e0b29b5dca8fd3019286",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_packing_respects_box_out_e83b3",
                    referencing="REFERENCING NEW TABLE AS touched ",
                    table="ledger_packing",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="shelf",
            constraint=models.UniqueConstraint(fields=("account", "code"), name="shelf_code_in_account"),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shelf",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="05d2808d1d615ff810843fe4470adb9423569919",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_cd4e2",
                    table="ledger_shelf",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shelf",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="7ab2899af713c59553bd7adaa627f378e328c4c2",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_11c39",
                    table="ledger_shelf",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="shelf",
            trigger=pgtrigger.compiler.Trigger(
                name="shelf_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."account_id" IS DISTINCT FROM (NEW."account_id") OR OLD."code" IS DISTINCT FROM (NEW."code"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="ea428e9cd75c0d36514b527eeaae84c59df48834",
                    operation="UPDATE",
                    pgid="pgtrigger_shelf_is_fixed_c2948",
                    table="ledger_shelf",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(fields=["item"], name="ledger_plac_item_id_1206fe_idx"),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(fields=["box"], name="ledger_plac_box_id_89734e_idx"),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)), fields=("item",), name="item_on_one_shelf"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None)), fields=("box",), name="box_on_one_shelf"
            ),
        ),
        migrations.AddConstraint(
            model_name="placement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("box__isnull", False), ("item", None)),
                    models.Q(("box", None), ("item__isnull", False)),
                    _connector="OR",
                ),
                name="placement_of_item_or_box",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="b8439d6fbb3ebe5ccf600e5fae18d56ed5b99204",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_29de0",
                    table="ledger_placement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="6024a016f04f27608a54ebc420308270fd567215",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_0f465",
                    table="ledger_placement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
                name="placement_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."shelf_id" IS DISTINCT FROM (NEW."shelf_id") OR OLD."item_id" IS DISTINCT FROM (NEW."item_id") OR OLD."box_id" IS DISTINCT FROM (NEW."box_id") OR OLD."placed_by_id" IS DISTINCT FROM (NEW."placed_by_id") OR OLD."placed_at" IS DISTINCT FROM (NEW."placed_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="d395accbfe671dc9e3b1c4165bf1504a33c944ed",
                    operation="UPDATE",
                    pgid="pgtrigger_placement_is_fixed_a56b4",
                    table="ledger_placement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
                name="placement_ends_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."removed_at" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="8f9afbf7f1a93b5e6729a14031b4bc8b7f6e895d",
                    operation="UPDATE",
                    pgid="pgtrigger_placement_ends_once_eb6cb",
                    table="ledger_placement",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="placement",
            trigger=pgtrigger.compiler.Trigger(
                name="placement_is_in_its_store",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF EXISTS (\n                SELECT FROM placed p JOIN ledger_shelf s ON s.id = p.shelf_id\n                LEFT JOIN ledger_holding h\n                    ON h.item_id = p.item_id AND h.account_id = s.account_id AND h.pieces > 0\n                LEFT JOIN ledger_packing k ON k.item_id = p.item_id AND k.taken_out_at IS NULL\n                LEFT JOIN ledger_box b ON b.id = p.box_id AND b.account_id = s.account_id AND b.parent_id IS NULL\n                WHERE p.removed_at IS NULL\n                  AND ((p.item_id IS NOT NULL AND (h.item_id IS NULL OR k.id IS NOT NULL))\n                       OR (p.box_id IS NOT NULL AND b.id IS NULL))\n            ) THEN\n                RAISE EXCEPTION 'what stands on a shelf is loose in the account of the shelf'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'placement_is_in_its_store';\n            END IF;\n            RETURN NULL;\n        ",
                    hash="44c84cf8f0c4c6b1baa970a3cae385245f15b513",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_placement_is_in_its_store_e10ed",
                    referencing="REFERENCING NEW TABLE AS placed ",
                    table="ledger_placement",
                    when="AFTER",
                ),
            ),
        ),
    ]
