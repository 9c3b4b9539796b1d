from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("exchanges", "0003_routing_rules")]

    operations = []
