"""How long the authority may take: the general time of an administrative procedure begun by an application."""

from datetime import UTC, date, datetime

from django.db import migrations


def load_rules(apps, schema_editor):
    basis = apps.get_model("rules", "LegalBasis").objects.create(
        title_kk="Қазақстан Республикасының Әкімшілік рәсімдік-процестік кодексі, 76-бап: 15 жұмыс күні",
        title_ru="Административный процедурно-процессуальный кодекс Республики Казахстан, статья 76: 15 рабочих дней",
        title_en="Administrative Procedural Code of the Republic of Kazakhstan, article 76: 15 working days",
        number="350-VI",
        issued_on=date(2020, 6, 29),
        is_confirmed=False,
    )
    apps.get_model("rules", "Rule").objects.create(
        code="application.days",
        scope="",
        value={"working_days": 15},
        starts_on=date(2021, 7, 1),
        basis=basis,
        enacted_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


class Migration(migrations.Migration):
    dependencies = [("permits", "0001_initial"), ("rules", "0002_known_rules")]

    operations = [migrations.RunPython(load_rules, migrations.RunPython.noop)]
