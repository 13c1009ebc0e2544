from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("permits", "0002_known_rules"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="loadinglist",
            name="expected_on",
        ),
        migrations.AddField(
            model_name="extrascan",
            name="reason",
            field=models.CharField(blank=True, max_length=300, verbose_name="reason"),
        ),
        migrations.AddField(
            model_name="loadinglist",
            name="escort",
            field=models.CharField(blank=True, max_length=300, verbose_name="escort"),
        ),
        migrations.AddField(
            model_name="loadinglist",
            name="expected_at",
            field=models.DateTimeField(null=True, verbose_name="expected"),
        ),
        migrations.AddField(
            model_name="loadinglist",
            name="route",
            field=models.TextField(blank=True, verbose_name="route"),
        ),
    ]
