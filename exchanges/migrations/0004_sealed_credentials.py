from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for envelopes. Rows that are there stay Fernet tokens, which open as before: no migration has the vault's key. The daily check
    of stored keys, which also runs right after a start, puts them into envelopes, and so does `rotate_vault_key`.

    Labels are kept apart within a portfolio (portfolio.connecting), not across those of strangers."""

    dependencies = [("exchanges", "0003_routing_rules")]

    operations = [
        migrations.RemoveConstraint("exchangeaccount", "one_label_per_exchange_account"),
        migrations.AddField("credential", "key_id", models.CharField(blank=True, default="", max_length=16)),
        migrations.AddField("credential", "wrapped_key", models.TextField(blank=True, default="")),
        migrations.AddField("credential", "can_trade", models.BooleanField(null=True)),
        migrations.AddField("credential", "can_withdraw", models.BooleanField(null=True)),
        migrations.AddField("credential", "is_ip_bound", models.BooleanField(null=True)),
        migrations.AddField("credential", "expires_at", models.DateTimeField(null=True)),
        migrations.AddField("credential", "checked_at", models.DateTimeField(null=True)),
        migrations.AddField("credential", "trouble", models.CharField(blank=True, default="", max_length=600)),
    ]
