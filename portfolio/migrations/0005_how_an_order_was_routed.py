from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("portfolio", "0004_one_default_account_for_each_exchange")]

    operations = [migrations.AddField("order", "routing", models.JSONField(blank=True, default=dict))]
