from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "dashboard"

    def ready(self) -> None:
        # Every process that imports a shared task must send it to this application's broker, not to Celery's default.
        from dashboard import celery  # noqa: F401
