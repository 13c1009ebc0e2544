"""When two persons count as two: a working rule, to be adjusted by experience."""

from datetime import UTC, date, datetime

from django.db import migrations, models

LOADED_AT = datetime(2026, 11, 23, tzinfo=UTC)
START = date(2023, 3, 1)
BASIS = (
    "Тізілімнің жұмыс қағидасы: екі адам қашан екі адам болып саналады",
    "Рабочее правило реестра: когда два человека считаются двумя",
    "Working rule of the registry: when two persons count as two",
)
RULES = [
    ("accounts.independence", {"days": 30}),
]


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
        ("rules", "0013_alarm_of_refusals"),
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
                    ("handover.term", "How long goods may be on their way"),
                    ("stocktake.commission", "Members of a stock-taking commission"),
                    ("destruction.commission", "Members of a destruction commission"),
                    ("destruction.mass", "Tolerated difference of mass at a destruction"),
                    ("loss.search", "Days to search for lost goods"),
                    ("store.climate", "Climate of a store"),
                    ("marking.gtin", "GTIN of a kind in the State's marking system"),
                    ("photo.distance", "Distance of a photo from the stated place"),
                    ("copy.far", "Copies: one label at two places too far apart"),
                    ("copy.gone", "Copies: a label seen after its item was exported or destroyed"),
                    ("copy.blank", "Copies: a label seen before it was on an item"),
                    ("copy.burst", "Copies: a burst of checks of one label"),
                    ("copy.many", "Copies: many public checks of one label"),
                    ("copy.store", "Copies: a label seen where its item is not"),
                    ("copy.old_print", "Copies: a label seen that was replaced"),
                    ("check.unknown", "Checks: codes that were never issued"),
                    ("check.forged", "Checks: forged symbols"),
                    ("check.refused", "Checks: questions refused because they came too often"),
                    ("accounts.independence", "When two persons count as two"),
                ],
                max_length=40,
            ),
        ),
        migrations.RunPython(load_rules, migrations.RunPython.noop),
    ]
