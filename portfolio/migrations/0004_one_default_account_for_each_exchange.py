from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def copy_exchanges(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Of several defaults the one that orders went to stays: that of the account added first."""
    seen: set[tuple[int, str]] = set()
    for link in apps.get_model("portfolio", "PortfolioAccount").objects.select_related("account").order_by("account_id"):
        key = (link.portfolio_id, link.account.exchange)
        link.exchange, link.is_default = link.account.exchange, link.is_default and key not in seen
        link.save(update_fields=["exchange", "is_default"])
        if link.is_default:
            seen.add(key)


class Migration(migrations.Migration):

    dependencies = [
        ("exchanges", "0001_initial"),
        ("portfolio", "0003_what_order_lists_lack"),
    ]

    operations = [
        migrations.AddField(
            model_name="portfolioaccount",
            name="exchange",
            field=models.CharField(
                choices=[("binance", "Binance"), ("bybit", "Bybit"), ("okx", "OKX")], default="", editable=False, max_length=16
            ),
            preserve_default=False,
        ),
        migrations.RunPython(copy_exchanges, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="portfolioaccount",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)), fields=("portfolio", "exchange"), name="one_default_account_per_exchange"
            ),
        ),
    ]
