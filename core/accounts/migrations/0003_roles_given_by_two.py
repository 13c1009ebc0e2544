"""Roles that decide are given by two persons; who has whom in hand is said by one function."""

import django.contrib.postgres.fields
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

IN_ONE_HAND = """
CREATE FUNCTION accounts_in_one_hand(one bigint, other bigint, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
DECLARE
    most_days integer;
BEGIN
    SELECT (r.value ->> 'days')::integer INTO most_days FROM rules_rule r
     WHERE r.code = 'accounts.independence' AND r.enacted_at IS NOT NULL
       AND (moment AT TIME ZONE 'Asia/Almaty')::date BETWEEN r.starts_on AND coalesce(r.ends_on, 'infinity');
    RETURN EXISTS (
        SELECT FROM audit_event e
         WHERE e.subject_kind = 'user' AND e.subject_id IN (one::text, other::text)
           AND e.actor_id = CASE e.subject_id WHEN one::text THEN other ELSE one END
           AND e.verb IN ('user.created', 'user.reactivated', 'user.appointed', 'user.password_link_made',
                          'user.email_changed')
           AND e.at > moment - make_interval(days => coalesce(most_days, 30))
    );
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_regions"),
    ]

    operations = [
        migrations.RunSQL(IN_ONE_HAND, "DROP FUNCTION accounts_in_one_hand(bigint, bigint, timestamptz)"),
        migrations.CreateModel(
            name="RoleRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("inspector", "Inspector"),
                            ("storekeeper", "Storekeeper"),
                            ("trader", "Trader"),
                            ("processor", "Processor"),
                            ("veterinary_officer", "Veterinary officer"),
                            ("authority_officer", "Authority officer"),
                            ("authority_head", "Head of the authority"),
                            ("scientific_reviewer", "Scientific reviewer"),
                            ("customs_officer", "Customs officer"),
                            ("auditor", "Auditor"),
                            ("administrator", "Administrator"),
                        ],
                        max_length=20,
                        verbose_name="role",
                    ),
                ),
                (
                    "regions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=2), blank=True, default=list, size=None
                    ),
                ),
                ("valid_from", models.DateField(null=True)),
                ("valid_until", models.DateField(null=True)),
                ("reason", models.CharField(max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("asked", "Waits for a second person"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                        ],
                        default="asked",
                        max_length=9,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "Request for a role",
                "ordering": ["-pk"],
            },
        ),
        migrations.AddField(
            model_name="appointment",
            name="request",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="appointment",
                to="accounts.rolerequest",
            ),
        ),
        migrations.RemoveConstraint(
            model_name="appointment",
            name="one_administrator_appointed_by_nobody",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appointment",
            trigger=pgtrigger.compiler.Trigger(
                name="appointment_keeps_its_request",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."request_id" IS DISTINCT FROM (NEW."request_id"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="d5c7cfa8893e44ea85d359bcc339524fa2def599",
                    operation="UPDATE",
                    pgid="pgtrigger_appointment_keeps_its_request_204c6",
                    table="accounts_appointment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appointment",
            trigger=pgtrigger.compiler.Trigger(
                name="deciding_role_is_given_by_two",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."appointed_by_id" IS NOT NULL)',
                    func="\n            IF (NEW.role IN ('administrator', 'authority_head', 'authority_officer', 'inspector', 'processor', 'storekeeper') OR NEW.request_id IS NOT NULL) AND NOT EXISTS (\n                SELECT FROM accounts_rolerequest r\n                 WHERE r.id = NEW.request_id AND r.state = 'confirmed' AND r.user_id = NEW.user_id\n                   AND r.organisation_id = NEW.organisation_id AND r.role = NEW.role\n                   AND r.asked_by_id = NEW.appointed_by_id\n                   AND r.valid_until IS NOT DISTINCT FROM NEW.valid_until\n            ) THEN\n                RAISE EXCEPTION 'role % is given by two persons', NEW.role\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'deciding_role_is_given_by_two';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="00b56526bebfc1c9dc84128d358adf6c48bf1dfa",
                    operation="INSERT",
                    pgid="pgtrigger_deciding_role_is_given_by_two_984fd",
                    table="accounts_appointment",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="appointment",
            trigger=pgtrigger.compiler.Trigger(
                name="two_are_appointed_by_nobody",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."appointed_by_id" IS NULL)',
                    func="\n            -- One at a time: the next sees the row of the one before.\n            PERFORM pg_advisory_xact_lock(hashtext('two_are_appointed_by_nobody'));\n            IF (SELECT count(*) FROM accounts_appointment WHERE appointed_by_id IS NULL) >= 2 OR EXISTS (\n                SELECT FROM accounts_appointment WHERE appointed_by_id IS NULL AND user_id = NEW.user_id\n            ) THEN\n                RAISE EXCEPTION 'only the first two administrators are appointed by nobody'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'two_are_appointed_by_nobody';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="d32a3d7e48d7779139d1fd288000067d97e05c46",
                    operation="INSERT",
                    pgid="pgtrigger_two_are_appointed_by_nobody_f884d",
                    table="accounts_appointment",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddField(
            model_name="rolerequest",
            name="asked_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="rolerequest",
            name="decided_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="rolerequest",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.organisation",
                verbose_name="organisation",
            ),
        ),
        migrations.AddField(
            model_name="rolerequest",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="role_requests",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="role_request_has_a_reason"
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(("asked_by", models.F("user")), _negated=True), name="nobody_asks_a_role_for_oneself"
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at", None), ("decided_by", None), ("state", "asked")),
                    models.Q(
                        ("decided_at__isnull", False),
                        ("decided_by__isnull", False),
                        ("state__in", ["confirmed", "refused"]),
                    ),
                    _connector="OR",
                ),
                name="role_request_state_has_its_moment",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerequest",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "confirmed"), _negated=True),
                    models.Q(
                        models.Q(("decided_by", models.F("asked_by")), _negated=True),
                        models.Q(("decided_by", models.F("user")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="nobody_confirms_own_role_request",
            ),
        ),
        migrations.AddConstraint(
            model_name="rolerequest",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked")),
                fields=("user", "organisation", "role"),
                name="one_waiting_role_request",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="never_deleted",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                    hash="d54169a59d061b481cc66732b67a6dfb36719397",
                    operation="DELETE",
                    pgid="pgtrigger_never_deleted_7c8f0",
                    table="accounts_rolerequest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="no_truncate",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'these rows are kept: %', TG_TABLE_NAME;",
                    hash="9d2fb198569ef6369cc684b5ee0dffa0333f6220",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_no_truncate_3d66b",
                    table="accounts_rolerequest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="role_request_is_fixed",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."user_id" IS DISTINCT FROM (NEW."user_id") OR OLD."organisation_id" IS DISTINCT FROM (NEW."organisation_id") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."regions" IS DISTINCT FROM (NEW."regions") OR OLD."valid_from" IS DISTINCT FROM (NEW."valid_from") OR OLD."valid_until" IS DISTINCT FROM (NEW."valid_until") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."asked_by_id" IS DISTINCT FROM (NEW."asked_by_id") OR OLD."asked_at" IS DISTINCT FROM (NEW."asked_at"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="64779a31bc82131e143e0dbdf342c4898852c9f7",
                    operation="UPDATE",
                    pgid="pgtrigger_role_request_is_fixed_43c06",
                    table="accounts_rolerequest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="role_request_ends_once",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.\"state\" IN ('confirmed', 'refused'))",
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="3ab27a64650fbc2434def1a3ae8db09177e73d31",
                    operation="UPDATE",
                    pgid="pgtrigger_role_request_ends_once_9515a",
                    table="accounts_rolerequest",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="rolerequest",
            trigger=pgtrigger.compiler.Trigger(
                name="role_request_is_confirmed_by_another",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF TG_OP = 'INSERT' AND NEW.state <> 'asked' OR NEW.state = 'confirmed' AND (\n                accounts_in_one_hand(NEW.asked_by_id, NEW.decided_by_id, NEW.decided_at) OR NOT EXISTS (\n                    SELECT FROM accounts_appointment a\n                     WHERE a.user_id = NEW.decided_by_id AND a.ended_at IS NULL AND a.role IN ('administrator', 'authority_head')\n                       AND coalesce(a.valid_until, 'infinity') >= (NEW.decided_at AT TIME ZONE 'Asia/Almaty')::date\n                )\n            ) THEN\n                RAISE EXCEPTION 'a role is confirmed by another person'\n                    USING ERRCODE = 'check_violation', CONSTRAINT = 'role_request_is_confirmed_by_another';\n            END IF;\n            RETURN NEW;\n        ",
                    hash="a8dbdb7101366696496cb26b358e0a9e11e5243b",
                    operation="INSERT OR UPDATE",
                    pgid="pgtrigger_role_request_is_confirmed_by_another_0b795",
                    table="accounts_rolerequest",
                    when="BEFORE",
                ),
            ),
        ),
    ]
