"""The Celery application: `celery -A dashboard.celery worker -P threads`. Its schedule lives in the database, its log is the site's."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
# System checks of the code import every page and form: a worker should neither wait for that nor keep it in memory.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

app = Celery("crossbook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def keep_logging(**_: Any) -> None:
    """Celery sets up a log of its own unless somebody listens here: Django has set up ours."""
