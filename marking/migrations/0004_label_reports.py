import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marking", "0005_printing")]

    operations = [
        migrations.AddField(
            model_name="labelreport",
            name="office",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        *[
            migrations.RemoveField(model_name="markrequest", name=name)
            for name in ("profile", "dpi", "start", "language")
        ],
        migrations.AddField(model_name="markrequest", name="order", field=models.JSONField(null=True)),
    ]
