"""The boundary accounts: one of each kind, through which goods enter and leave the system."""

from django.db import migrations

# kind, name in Kazakh, Russian, English
BOUNDARIES = [
    ("removal", "Табиғаттан алу", "Изъятие из природы", "Removal from the wild"),
    ("find", "Табылған", "Найдено", "Found"),
    ("seizure", "Құқық бұзушылардан алып қойылған", "Изъято у нарушителей", "Seizure"),
    ("old_stock", "Таңбалауға дейінгі қор", "Запас до маркировки", "Stock from before marking"),
    ("import", "Импорт", "Импорт", "Import"),
    ("export", "Экспорт", "Экспорт", "Export"),
    ("domestic_sale", "Ел ішінде сату", "Продажа внутри страны", "Sale inside the country"),
    ("processing", "Өңдеуге жұмсалған", "Израсходовано в переработке", "Consumed in processing"),
    ("drying_loss", "Кебуден кему", "Усушка", "Drying loss"),
    ("destruction", "Жойылған", "Уничтожено", "Destroyed"),
    ("loss", "Жоғалған немесе ұрланған", "Утрачено или похищено", "Lost or stolen"),
]


def open_boundaries(apps, schema_editor):
    CustodyAccount = apps.get_model("ledger", "CustodyAccount")
    CustodyAccount.objects.bulk_create(
        CustodyAccount(kind=kind, code=kind.upper().replace("_", "-"), name_kk=kk, name_ru=ru, name_en=en)
        for kind, kk, ru, en in BOUNDARIES
    )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunPython(open_boundaries, migrations.RunPython.noop)]
