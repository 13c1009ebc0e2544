"""Boundaries through which goods of two more origins enter: confiscated elsewhere, and unknown."""

from django.db import migrations, models

# kind, code, name in Kazakh, Russian, English
BOUNDARIES = [
    ("confiscation", "CONFISCATION", "Өзге жерде тәркіленді", "Конфисковано вне реестра", "Confiscated elsewhere"),
    ("unknown", "UNKNOWN", "Шығу тегі анықталмаған", "Происхождение не установлено", "Origin unknown"),
]


def open_boundaries(apps, schema_editor):
    CustodyAccount = apps.get_model("ledger", "CustodyAccount")
    CustodyAccount.objects.bulk_create(
        CustodyAccount(kind=kind, code=code, name_kk=kk, name_ru=ru, name_en=en)
        for kind, code, kk, ru, en in BOUNDARIES
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0009_holds"),
    ]

    operations = [
        migrations.AlterField(
            model_name="custodyaccount",
            name="kind",
            field=models.CharField(
                choices=[
                    ("store", "Store"),
                    ("evidence", "Evidence room"),
                    ("transit", "In transit"),
                    ("removal", "Removal from the wild"),
                    ("find", "Found"),
                    ("seizure", "Seizure"),
                    ("confiscation", "Confiscated elsewhere"),
                    ("old_stock", "Stock from before marking"),
                    ("import", "Import"),
                    ("unknown", "Origin unknown"),
                    ("export", "Exported"),
                    ("domestic_sale", "Sold inside the country"),
                    ("processing", "Consumed in processing"),
                    ("drying_loss", "Drying loss"),
                    ("destruction", "Destroyed"),
                    ("loss", "Lost or stolen"),
                    ("returned", "Returned to the owner"),
                ],
                max_length=15,
                verbose_name="kind",
            ),
        ),
        migrations.RunPython(open_boundaries, migrations.RunPython.noop),
    ]
