"""The boundary accounts: one of each kind, through which goods enter and leave the system."""

from django.db import migrations

# kind, name in Kazakh, Russian, English
BOUNDARIES = [
    ("removal", "Табиғаттан алып қою", "Изъятие из природы", "Removal from the wild"),
    ("find", "Табылды", "Найдено", "Found"),
    ("seizure", "Іс бойынша алып қою", "Изъятие по делу", "Seizure"),
    ("old_stock", "Таңбалауға дейінгі қор", "Запас до маркировки", "Stock from before marking"),
    ("import", "Импорт", "Импорт", "Import"),
    ("export", "Экспорт", "Экспорт", "Export"),
    ("domestic_sale", "Ел ішінде сату", "Продажа внутри страны", "Sale inside the country"),
    ("processing", "Өңдеуге жұмсалған", "Израсходовано при переработке", "Consumed in processing"),
    ("drying_loss", "Кебу шығыны", "Усушка", "Drying loss"),
    ("destruction", "Жойылды", "Уничтожено", "Destroyed"),
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
