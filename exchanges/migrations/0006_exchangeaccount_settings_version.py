from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0005_exchangeaccount_venue_account_id")]

    operations = [
        migrations.AddField("exchangeaccount", "settings_version", models.PositiveIntegerField(default=1)),
    ]
