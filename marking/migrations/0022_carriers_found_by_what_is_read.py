from django.db import migrations, models
from django.db.models import F, Func, Q, TextField, Value
from django.db.models.functions import Substr


class Migration(migrations.Migration):
    dependencies = [
        ("marking", "0021_copies_that_stand"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="carrier",
            index=models.Index(Substr("identity", 19), condition=Q(kind="state_code"), name="carriers_by_serial"),
        ),
        migrations.AddIndex(
            model_name="carrier",
            index=models.Index(
                Func(F("identity"), Value("-./_"), Value(""), function="translate", output_field=TextField()),
                condition=Q(kind="seal"),
                name="carriers_by_bare_seal",
            ),
        ),
    ]
