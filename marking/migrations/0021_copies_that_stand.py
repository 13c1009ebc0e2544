import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

# Alerts of earlier versions stand when everything they rest on weighs; the table takes no change but by this.
_JUDGE = """
    ALTER TABLE marking_copyalert DISABLE TRIGGER USER;
    UPDATE marking_copyalert a SET
        generation = m.generation,
        stands = a.rule <> 'copy.blank' AND coalesce((
            SELECT bool_and(c.organisation_id IS NOT NULL OR (c.is_signed AND c.who = 'public' AND c.channel <> 'api'
                AND (c.lat IS NOT NULL OR cardinality(c.regions) > 0)))
            FROM marking_copyevidence e JOIN marking_check c ON c.id = e.seen_id WHERE e.alert_id = a.id
        ), false)
    FROM marking_mark m WHERE m.code = a.mark_id;
    ALTER TABLE marking_copyalert ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("marking", "0020_labels_under_the_key_in_use"),
        ("notices", "0004_there_is_a_copy"),
    ]

    operations = [
        migrations.AlterField(
            model_name="copyalert",
            name="notice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="copy_alerts", to="notices.notice"
            ),
        ),
        migrations.AddField(
            model_name="copyalert",
            name="generation",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="copyalert",
            name="stands",
            field=models.BooleanField(default=False),
        ),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.RunSQL(_JUDGE, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="copyalert", name="one_copy_alert_of_a_mark_rule_and_day"),
        migrations.AddConstraint(
            model_name="copyalert",
            constraint=models.UniqueConstraint(
                fields=["mark", "rule", "on", "stands"], name="one_copy_alert_of_a_mark_rule_and_day"
            ),
        ),
        migrations.AddConstraint(
            model_name="copyalert",
            constraint=models.CheckConstraint(
                condition=~Q(rule="copy.blank", stands=True), name="seen_blank_is_only_a_question"
            ),
        ),
    ]
