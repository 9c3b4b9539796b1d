from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [("portfolio", "0004_one_default_account_for_each_exchange")]

    operations = []
