from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0031_hold_of_removal"),
    ]

    operations = [
        migrations.AlterField(
            model_name="hold",
            name="kind",
            field=models.CharField(
                choices=[
                    ("evidence", "Evidence in a case"),
                    ("court", "Court order"),
                    ("dispute", "Dispute"),
                    ("missing", "Missing in a stock-take"),
                    ("loss", "Reported lost or stolen"),
                    ("to_destroy", "To be destroyed"),
                    ("mass", "Mass in question"),
                    ("processing", "Processing waits for a decision"),
                    ("in_transit", "Missing on the way"),
                    ("origin", "Goods to be confirmed"),
                    ("removal", "Removal to be judged"),
                ],
                max_length=10,
            ),
        ),
    ]
