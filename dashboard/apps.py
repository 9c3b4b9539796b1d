from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin_apps

from dashboard import operation


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        # Every process that imports a shared task must send it to this application's broker, not to Celery's default; the others are
        # found by being imported.
        from dashboard import celery, checks, metrics, shared_metrics  # noqa: F401

        if settings.METRICS_TOKEN and operation.service():
            shared_metrics.share_from_now_on()


class ClosedAdminConfig(admin_apps.AdminConfig):
    """Django's admin on our own site."""

    default = False  # of this package; the settings name it
    default_site = "dashboard.admin_site.CrossbookAdmin"
