"""Working rules of the registry about goods in custody: agreed for its own work, to be put in force by the authority."""

from datetime import UTC, date, datetime

from django.db import migrations

LOADED_AT = datetime(2026, 11, 1, tzinfo=UTC)
START = date(2023, 3, 1)

BASES = {
    "removal": (
        "Тізілімнің жұмыс қағидасы: бригада бір күнде тапсырған ұша мен мүйіз санының жол берілетін айырмасы",
        "Рабочее правило реестра: допустимая разница туш и рогов, сданных бригадой за день",
        "Working rule of the registry: tolerated difference of carcasses and horns of a brigade's day",
    ),
    "measures": (
        "Тізілімнің жұмыс қағидасы: мүйіздің ықтимал өлшемдері, жарияланған өлшеулер бойынша",
        "Рабочее правило реестра: правдоподобные размеры рога, по опубликованным измерениям",
        "Working rule of the registry: plausible measures of a horn, from published measurements",
    ),
    "damage": (
        "Киікті заңсыз алып қоюдан келтірілген зиянның мөлшері, айлық есептік көрсеткішпен",
        "Размеры возмещения вреда за незаконное изъятие сайгака, в месячных расчетных показателях",
        "Damage for illegal taking of saiga, in monthly calculation indices",
    ),
    "drying": (
        "Тізілімнің жұмыс қағидасы: мүйіздің кебуден жоғалтатын массасы",
        "Рабочее правило реестра: усушка рогов при хранении",
        "Working rule of the registry: mass that horns lose by drying in store",
    ),
    "yield": (
        "Тізілімнің жұмыс қағидасы: өңдеудегі шығын нормалары",
        "Рабочее правило реестра: нормы потерь при переработке",
        "Working rule of the registry: norms of loss in processing",
    ),
    "custody": (
        "Тізілімнің жұмыс қағидасы: дериваттарды сақтау, беру, түгендеу және жою тәртібі",
        "Рабочее правило реестра: порядок хранения, передачи, инвентаризации и уничтожения дериватов",
        "Working rule of the registry: how derivatives are kept, handed over, counted and destroyed",
    ),
}

# code, scope, value, basis
RULES = [
    ("removal.tolerance", "", {"carcasses": 0, "horns": 2}, "removal"),
    ("horn.length_band", "", {"min_mm": 100, "max_mm": 400}, "measures"),
    ("horn.base_band", "", {"min_mm": 60, "max_mm": 150}, "measures"),
    ("damage.rates", "", {"male": 500, "female": 350, "young": 350, "horn": 450}, "damage"),
    ("drying.curve", "", {"days_30": 4, "days_90": 7, "days_365": 10, "ever": 12}, "drying"),
    ("processing.loss", "HOP", {"percent": 3}, "yield"),
    ("processing.loss", "HOC", {"percent": 60}, "yield"),
    ("processing.loss", "POW", {"percent": 5}, "yield"),
    ("processing.loss", "MED", {"percent": 2}, "yield"),
    ("processing.loss", "MEA", {"percent": 5}, "yield"),
    ("processing.loss", "SKP", {"percent": 10}, "yield"),
    ("custody.under_certificate", "", {"terms": ["MEA"]}, "custody"),
    ("handover.mass", "", {"percent": 2}, "custody"),
    ("stocktake.commission", "", {"persons": 2}, "custody"),
    ("destruction.commission", "", {"persons": 3}, "custody"),
    ("store.climate", "", {"min_c": -30, "max_c": 12, "max_humidity": 65}, "custody"),
    ("photo.distance", "", {"km": 5}, "custody"),
]


def load_rules(apps, schema_editor):
    LegalBasis = apps.get_model("rules", "LegalBasis")
    bases = {
        key: LegalBasis.objects.create(title_kk=kk, title_ru=ru, title_en=en, is_confirmed=False)
        for key, (kk, ru, en) in BASES.items()
    }
    Rule = apps.get_model("rules", "Rule")
    Rule.objects.bulk_create(
        Rule(code=code, scope=scope, value=value, starts_on=START, basis=bases[basis], enacted_at=LOADED_AT)
        for code, scope, value, basis in RULES
    )


class Migration(migrations.Migration):
    dependencies = [("rules", "0003_codes_of_custody")]

    operations = [migrations.RunPython(load_rules, migrations.RunPython.noop)]
