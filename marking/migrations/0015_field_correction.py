"""A horn that was sent wrongly is corrected from the phone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("marking", "0014_series_in_parts")]

    operations = [
        migrations.AlterField(
            model_name="fieldrecord",
            name="act",
            field=models.CharField(
                choices=[
                    ("open_removal", "Reception opened"),
                    ("open_seizure", "Seizure opened"),
                    ("row", "Horn weighed"),
                    ("correct_row", "Horn corrected"),
                ],
                max_length=12,
            ),
        ),
    ]
