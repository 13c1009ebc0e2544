"""The rules known when the registry was written, each with its legal basis.

What was read in a public source is confirmed; what was worked out, or agreed for the registry's own work, is not:
an officer drafts the exact text and the head of the authority puts it in force over it.
"""

from datetime import UTC, date, datetime

from django.db import migrations

LOADED_AT = datetime(2026, 11, 1, tzinfo=UTC)

BASES = {
    "pilot": {
        "title_kk": "Киік дериваттарын таңбалау жөніндегі пилоттық жоба (2023 жылғы наурыздан бастап, ерікті)",
        "title_ru": "Пилотный проект по маркировке дериватов сайгака (с марта 2023 года, добровольно)",
        "title_en": "Pilot project on marking saiga derivatives (from March 2023, voluntary)",
    },
    "compulsory": {
        "title_kk": "Киік мүйіздерін сәйкестендіру құралдарымен міндетті таңбалау туралы талап",
        "title_ru": "Требование об обязательной маркировке рогов сайгака средствами идентификации",
        "title_en": "Requirement that saiga horns be marked with means of identification",
    },
    "cop18": {
        "title_kk": "СИТЕС II қосымшасындағы Saiga tatarica аннотациясы: коммерциялық мақсаттағы экспортқа нөлдік квота",
        "title_ru": "Аннотация к Saiga tatarica в Приложении II СИТЕС: нулевая квота на экспорт в коммерческих целях",
        "title_en": "Annotation to Saiga tatarica in CITES Appendix II: zero export quota for commercial purposes",
        "number": "CITES CoP18",
        "issued_on": date(2019, 11, 26),
        "url": "https://cites.org/eng/app/appendices.php",
    },
    "cop20": {
        "title_kk": "СИТЕС CoP20: Қазақстаннан киік мүйізін экспорттау, үш жыл бойы жылына 10 000 кг-нан аспайды",
        "title_ru": "СИТЕС CoP20: экспорт рогов сайгака из Казахстана, не более 10 000 кг в год в течение трех лет",
        "title_en": "CITES CoP20: export of saiga horn from Kazakhstan, at most 10,000 kg a year for three years",
        "number": "CITES CoP20",
        "issued_on": date(2025, 11, 28),
        "url": "https://cites.org/eng/app/appendices.php",
        "is_confirmed": False,
    },
    "plausible": {
        "title_kk": "Тізілімнің жұмыс қағидасы: бір киік мүйізінің ықтимал массасы, жарияланған өлшеулер бойынша",
        "title_ru": "Рабочее правило реестра: правдоподобная масса одного рога сайгака, по опубликованным измерениям",
        "title_en": "Working rule of the registry: plausible mass of one saiga horn, from published measurements",
        "is_confirmed": False,
    },
    "anatomy": {
        "title_kk": "Тізілімнің жұмыс қағидасы: мүйіз тек аталықтарда болады, әрқайсысында екеуден",
        "title_ru": "Рабочее правило реестра: рога есть только у самцов, по два у каждого",
        "title_en": "Working rule of the registry: only males carry horns, two each",
        "is_confirmed": False,
    },
    "budget-2024": {
        "title_kk": "«2024–2026 жылдарға арналған республикалық бюджет туралы» Қазақстан Республикасының Заңы",
        "title_ru": "Закон Республики Казахстан «О республиканском бюджете на 2024–2026 годы»",
        "title_en": "Law of the Republic of Kazakhstan “On the republican budget for 2024–2026”",
        "number": "43-VIII",
        "issued_on": date(2023, 12, 5),
    },
    "budget-2025": {
        "title_kk": "«2025–2027 жылдарға арналған республикалық бюджет туралы» Қазақстан Республикасының Заңы",
        "title_ru": "Закон Республики Казахстан «О республиканском бюджете на 2025–2027 годы»",
        "title_en": "Law of the Republic of Kazakhstan “On the republican budget for 2025–2027”",
        "number": "141-VIII",
        "issued_on": date(2024, 12, 4),
    },
    "budget-2026": {
        "title_kk": "«2026–2028 жылдарға арналған республикалық бюджет туралы» Қазақстан Республикасының Заңы",
        "title_ru": "Закон Республики Казахстан «О республиканском бюджете на 2026–2028 годы»",
        "title_en": "Law of the Republic of Kazakhstan “On the republican budget for 2026–2028”",
        "issued_on": date(2025, 12, 8),
    },
    "state": {
        "title_kk": "Тізілімнің жұмыс қағидасы: мемлекеттік органдар мен кәсіпорындар дериваттарды бір-біріне акт бойынша тапсырады",
        "title_ru": "Рабочее правило реестра: государственные органы и предприятия передают дериваты друг другу по акту",
        "title_en": "Working rule of the registry: state bodies and enterprises pass derivatives to each other by an act",
        "is_confirmed": False,
    },
    "discrepancy": {
        "title_kk": "Тізілімнің жұмыс қағидасы: сәйкессіздікті түсіндіру мерзімі",
        "title_ru": "Рабочее правило реестра: срок пояснения расхождения",
        "title_en": "Working rule of the registry: time to explain a discrepancy",
        "is_confirmed": False,
    },
}

# code, scope, value, first day, last day, basis
RULES = [
    ("marking.compulsory", "", {"terms": []}, date(2023, 3, 1), date(2025, 11, 30), "pilot"),
    ("marking.compulsory", "", {"terms": ["HOR"]}, date(2025, 12, 1), None, "compulsory"),
    ("horn.mass_band", "", {"min_g": 50, "max_g": 400}, date(2000, 1, 1), None, "plausible"),
    ("horn.per_male", "", {"max": 2}, date(2000, 1, 1), None, "anatomy"),
    ("export.quota", "HOR", {"grams": 0}, date(2019, 11, 26), date(2026, 3, 4), "cop18"),
    ("export.quota", "HOR", {"grams": 10_000_000}, date(2026, 3, 5), date(2029, 3, 4), "cop20"),
    ("export.quota", "HOR", {"grams": 0}, date(2029, 3, 5), None, "cop20"),
    ("mrp", "", {"tenge": 3692}, date(2024, 1, 1), date(2024, 12, 31), "budget-2024"),
    ("mrp", "", {"tenge": 3932}, date(2025, 1, 1), date(2025, 12, 31), "budget-2025"),
    ("mrp", "", {"tenge": 4325}, date(2026, 1, 1), date(2026, 12, 31), "budget-2026"),
    ("custody.state_transfer", "", {"allowed": True}, date(2023, 3, 1), None, "state"),
    ("discrepancy.days", "", {"days": 10}, date(2023, 3, 1), None, "discrepancy"),
]


def load_rules(apps, schema_editor):
    LegalBasis = apps.get_model("rules", "LegalBasis")
    Rule = apps.get_model("rules", "Rule")
    bases = {key: LegalBasis.objects.create(**texts) for key, texts in BASES.items()}
    Rule.objects.bulk_create(
        Rule(
            code=code, scope=scope, value=value, starts_on=first, ends_on=last, basis=bases[basis], enacted_at=LOADED_AT
        )
        for code, scope, value, first, last, basis in RULES
    )


class Migration(migrations.Migration):
    dependencies = [("rules", "0001_initial")]

    operations = [migrations.RunPython(load_rules, migrations.RunPython.noop)]
