from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("exchanges", "0002_venues_that_limit_this_server")]

    operations = []
