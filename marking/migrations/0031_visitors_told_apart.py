from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("marking", "0030_one_seal_is_one_number")]

    operations = [
        migrations.AddField(model_name="check", name="visitor", field=models.PositiveSmallIntegerField(null=True)),
        migrations.AddConstraint(
            model_name="check",
            constraint=models.CheckConstraint(
                condition=Q(visitor=None) | (Q(visitor__lt=256, who="public") & ~Q(code="")),
                name="visitor_of_a_check_is_a_byte",
            ),
        ),
    ]
