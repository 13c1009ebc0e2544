from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0003_seasons"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("explained", "Explained, nothing follows"),
                    ("corrected", "Corrected in the register"),
                    ("found", "Found again"),
                    ("loss_reported", "Reported as a loss or theft"),
                    ("copied", "There is a copy"),
                    ("other", "Another consequence"),
                    ("settled", "Settled by a later act"),
                ],
                max_length=14,
            ),
        ),
    ]
