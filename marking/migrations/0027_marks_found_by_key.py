from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("marking", "0026_keys_decided_by_another"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="mark",
            index=models.Index(
                condition=models.Q(("state__in", ["active", "blank"])), fields=["key"], name="mark_in_use_of_key"
            ),
        ),
    ]
