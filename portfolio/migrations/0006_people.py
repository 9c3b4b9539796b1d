from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("portfolio", "0005_how_an_order_was_routed")]

    operations = []
