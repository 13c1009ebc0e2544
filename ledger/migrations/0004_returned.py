"""The boundary through which goods go back to their owner when a court says so."""

from django.db import migrations


def open_boundary(apps, schema_editor):
    apps.get_model("ledger", "CustodyAccount").objects.create(
        kind="returned",
        code="RETURNED",
        name_kk="Иесіне қайтарылды",
        name_ru="Возвращено владельцу",
        name_en="Returned to the owner",
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_kinds")]

    operations = [migrations.RunPython(open_boundary, migrations.RunPython.noop)]
