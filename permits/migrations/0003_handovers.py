from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("permits", "0002_known_rules")]

    operations = []
