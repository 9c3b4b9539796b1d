from django.db import migrations, models


class Migration(migrations.Migration):
    """Ids of accounts that are there are filled in by the daily check of stored keys, which also runs right after a start."""

    dependencies = [("exchanges", "0004_sealed_credentials")]

    operations = [
        migrations.AddField("exchangeaccount", "venue_account_id", models.CharField(blank=True, default="", max_length=64)),
    ]
