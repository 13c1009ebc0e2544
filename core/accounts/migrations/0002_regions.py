"""The 20 regions of the first level, by the first two digits of KATO; names as in the state classifier."""

from django.db import migrations

REGIONS = [
    ("10", "Абай облысы", "Область Абай", "Abai Region"),
    ("11", "Ақмола облысы", "Акмолинская область", "Akmola Region"),
    ("15", "Ақтөбе облысы", "Актюбинская область", "Aktobe Region"),
    ("19", "Алматы облысы", "Алматинская область", "Almaty Region"),
    ("23", "Атырау облысы", "Атырауская область", "Atyrau Region"),
    ("27", "Батыс Қазақстан облысы", "Западно-Казахстанская область", "West Kazakhstan Region"),
    ("31", "Жамбыл облысы", "Жамбылская область", "Zhambyl Region"),
    ("33", "Жетісу облысы", "Область Жетісу", "Zhetisu Region"),
    ("35", "Қарағанды облысы", "Карагандинская область", "Karaganda Region"),
    ("39", "Қостанай облысы", "Костанайская область", "Kostanay Region"),
    ("43", "Қызылорда облысы", "Кызылординская область", "Kyzylorda Region"),
    ("47", "Маңғыстау облысы", "Мангистауская область", "Mangystau Region"),
    ("55", "Павлодар облысы", "Павлодарская область", "Pavlodar Region"),
    ("59", "Солтүстік Қазақстан облысы", "Северо-Казахстанская область", "North Kazakhstan Region"),
    ("61", "Түркістан облысы", "Туркестанская область", "Turkistan Region"),
    ("62", "Ұлытау облысы", "Область Ұлытау", "Ulytau Region"),
    ("63", "Шығыс Қазақстан облысы", "Восточно-Казахстанская область", "East Kazakhstan Region"),
    ("71", "Астана қаласы", "Город Астана", "Astana city"),
    ("75", "Алматы қаласы", "Город Алматы", "Almaty city"),
    ("79", "Шымкент қаласы", "Город Шымкент", "Shymkent city"),
]


def load_regions(apps, schema_editor):
    Region = apps.get_model("accounts", "Region")
    Region.objects.bulk_create(
        Region(code=code, iso=f"KZ-{code}", name_kk=kk, name_ru=ru, name_en=en) for code, kk, ru, en in REGIONS
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(load_regions, migrations.RunPython.noop)]
