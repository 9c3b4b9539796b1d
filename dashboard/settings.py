"""Crossbook's settings, read from the environment; see dashboard/environment.py for what may be set and how it is checked.

A production of one's own sets SECRET_KEY, VAULT_KEYS, DATABASE_URL, REDIS_URL, ALLOWED_HOSTS and HTTPS=1, behind a proxy that ends TLS,
passes Host on and sets X-Forwarded-Proto itself (one that comes from outside must not get through).
"""

import contextlib
import importlib
import sys
from typing import Any

from csp.constants import NONE, SELF

from dashboard import environment

BASE_DIR = environment.ROOT
VAR_DIR = environment.var_dir()
environment.make_directory(VAR_DIR)

DEBUG = environment.is_on("DEBUG")
SECRET_KEY = environment.kept_secret("SECRET_KEY", environment.SECRET_KEY_FILE)
if not SECRET_KEY:
    environment.make_secret(environment.SECRET_KEY_FILE)
    SECRET_KEY = environment.kept_secret("SECRET_KEY", environment.SECRET_KEY_FILE)
VAULT_KEYS = [key for key in environment.kept_secret("VAULT_KEYS", environment.VAULT_KEY_FILE).replace("\n", ",").split(",") if key]

HTTPS = environment.is_https()
ALLOWED_HOSTS = environment.allowed_hosts()

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_celery_beat",
    "django_htmx",
    "csp",
    "simple_history",
    "ninja",  # for the static files of the API's description
    "exchanges",
    "portfolio",
    "dashboard",
]

MIDDLEWARE = [
    "dashboard.api.errors.in_one_shape",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
]

ROOT_URLCONF = "dashboard.urls"
ASGI_APPLICATION = "dashboard.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _require_postgresql_driver() -> None:
    for name in ("psycopg", "psycopg2"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
            return
    raise environment.ConfigurationError(
        f"DATABASE_URL asks for PostgreSQL, whose driver is not there: install the package psycopg[binary] for {sys.executable}."
    )


def _databases() -> dict[str, Any]:
    address = environment.database_address()
    if address.engine == "sqlite":
        # IMMEDIATE takes the write lock at BEGIN: without it two writers meet at COMMIT and one fails with "database is locked".
        options = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        }
        return {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": address.name, "OPTIONS": options}}
    _require_postgresql_driver()
    return {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": address.name,
            "USER": address.user,
            "PASSWORD": address.password,
            "HOST": address.host,
            "PORT": address.port,
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    }


DATABASES = _databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.redis_url()
CHANNEL_LAYERS = {
    "default": {
        # The Pub/Sub layer is back within 2 s of a Valkey kill. redis-py 8 closes idle sockets after 5 s unless told otherwise.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}], "prefix": "crossbook"},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 300}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TIMEZONE = "UTC"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
PASSWORD_RESET_TIMEOUT = 24 * 3600
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
# The site speaks plain HTTP on the loopback: only the proxy knows how a person came.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)-7s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.channels.server": {"level": "WARNING"},
        "daphne": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
    },
}

# How often every account is polled, in seconds (DESIGN: figures are complete while younger than three periods).
POLL_PERIOD_S = environment.whole_number("POLL_PERIOD_S", 5, low=1, high=3_600)
ORDER_POLL_PERIOD_S = environment.whole_number("ORDER_POLL_PERIOD_S", 30, low=1, high=3_600)
STALE_AFTER_S = 3 * POLL_PERIOD_S
ORDERS_STALE_AFTER_S = 2 * ORDER_POLL_PERIOD_S + POLL_PERIOD_S  # one reading may fail
POLL_SHARD_ACCOUNTS = 50
