"""What a destruction may weigh off, and how long lost goods are searched for; a destroying commission is of three."""

from datetime import UTC, date, datetime

from django.conf import settings
from django.db import migrations, models

LOADED_AT = datetime(2026, 11, 23, tzinfo=UTC)
START = date(2023, 3, 1)
BASIS = (
    "Тізілімнің жұмыс қағидасы: жою мен жоғалтуды ресімдеу тәртібі",
    "Рабочее правило реестра: порядок оформления уничтожения и утраты",
    "Working rule of the registry: how destruction and loss are put on record",
)
RULES = [("destruction.mass", {"percent": 5}), ("loss.search", {"days": 10})]


def load_rules(apps, schema_editor):
    kk, ru, en = BASIS
    basis = apps.get_model("rules", "LegalBasis").objects.create(
        title_kk=kk, title_ru=ru, title_en=en, is_confirmed=False
    )
    Rule = apps.get_model("rules", "Rule")
    Rule.objects.bulk_create(
        Rule(code=code, scope="", value=value, starts_on=START, basis=basis, enacted_at=LOADED_AT)
        for code, value in RULES
    )


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0004_custody_rules"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="rule",
            name="code",
            field=models.CharField(
                choices=[
                    ("marking.compulsory", "Marking is compulsory"),
                    ("horn.mass_band", "Plausible mass of one horn"),
                    ("horn.per_male", "Horns per male at most"),
                    ("export.quota", "Export quota"),
                    ("mrp", "Monthly calculation index (MRP)"),
                    ("custody.state_transfer", "State bodies pass goods to each other without a permit"),
                    ("sale.domestic", "Sale inside the country"),
                    ("discrepancy.days", "Days to explain a discrepancy"),
                    ("application.days", "Working days to decide an application"),
                    ("removal.tolerance", "Tolerated differences of a brigade's day"),
                    ("horn.length_band", "Plausible outer length of one horn"),
                    ("horn.base_band", "Plausible circumference of a horn's base"),
                    ("damage.rates", "Damage for illegal taking"),
                    ("drying.curve", "Mass that a horn may lose by drying"),
                    ("processing.loss", "Mass that processing may lose"),
                    ("custody.under_certificate", "Goods that move under a veterinary certificate"),
                    ("handover.mass", "Tolerated difference of mass on arrival"),
                    ("stocktake.commission", "Members of a stock-taking commission"),
                    ("destruction.commission", "Members of a destruction commission"),
                    ("destruction.mass", "Tolerated difference of mass at a destruction"),
                    ("loss.search", "Days to search for lost goods"),
                    ("store.climate", "Climate of a store"),
                    ("photo.distance", "Distance of a photo from the stated place"),
                ],
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("code", "destruction.commission"), _negated=True),
                    ("value__persons__gte", 3),
                    _connector="OR",
                ),
                name="three_or_more_destroy",
            ),
        ),
        migrations.RunPython(load_rules, migrations.RunPython.noop),
    ]
