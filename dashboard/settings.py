"""Crossbook's settings, read from the environment; see dashboard/environment.py for what may be set and how it is checked.

A production of one's own sets SECRET_KEY, VAULT_KEYS, DATABASE_URL, REDIS_URL, ALLOWED_HOSTS and HTTPS=1, behind a proxy that ends TLS,
passes Host on and sets X-Forwarded-Proto and X-Forwarded-For itself (those that come from outside must not get through); TRUSTED_PROXIES
says where that proxy's connections come from. docker-compose.yml is one.
"""

import contextlib
import importlib
import logging
import sys
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from dashboard import environment, logs, operation

BASE_DIR = environment.ROOT
VAR_DIR = environment.var_dir()
environment.make_directory(VAR_DIR)

DEBUG = environment.is_on("DEBUG")
SECRET_KEY = environment.secret_key()
if not SECRET_KEY:
    environment.make_secret(environment.SECRET_KEY_FILE)
    SECRET_KEY = environment.secret_key()
SECRET_KEY_FALLBACKS = environment.earlier_secret_keys()
VAULT_KEYS = [key for key in environment.kept_secret("VAULT_KEYS", environment.VAULT_KEY_FILE).replace("\n", ",").split(",") if key]
# Read anew whenever it has changed, so that running processes follow a rotation; None where the environment names the keys.
VAULT_KEY_FILE = None if environment.given_secret("VAULT_KEYS") else VAR_DIR / environment.VAULT_KEY_FILE

HTTPS = environment.is_https()
ALLOWED_HOSTS = environment.allowed_hosts()

INSTALLED_APPS = [
    "dashboard.apps.ClosedAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "axes",
    "csp",
    "simple_history",
    "ninja",  # for the static files of the API's description
    "exchanges",
    "portfolio",
    "dashboard",
]

MIDDLEWARE = [
    "dashboard.request_log.RequestLog",
    "dashboard.metrics.counted",
    "dashboard.edge.with_policies",
    "dashboard.api.errors.in_one_shape",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dashboard.caching.never_kept",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dashboard.sessions.noting_presence",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dashboard.astray.shown_the_way",
    "simple_history.middleware.HistoryRequestMiddleware",
    "axes.middleware.AxesMiddleware",
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
            # Where an address swallows everything: else two minutes for a connection, and a query without end.
            "OPTIONS": {"connect_timeout": 5, "keepalives_idle": 20, "keepalives_interval": 5, "keepalives_count": 3},
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
# The first lets nobody in: it refuses who failed too often.
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = "dashboard.throttle.lockout_parameters"
AXES_LOCKOUT_CALLABLE = "dashboard.throttle.refused"
AXES_CLIENT_IP_CALLABLE = "dashboard.addresses.throttled_address"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True  # the sessions say who is signed in
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
SESSION_ENGINE = "dashboard.sessions"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
if HTTPS:  # a browser takes a cookie of such a name over https alone, and from this host alone
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [rf"^{path[1:]}$" for path in operation.FOR_MACHINES]
# The site speaks plain HTTP on the loopback: only the proxy knows how a person came.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
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

DEFAULT_EXCEPTION_REPORTER_FILTER = "dashboard.error_reports.NothingSecret"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

METRICS_TOKEN = operation.metrics_token()
LOGGING = logs.configuration(
    log_format=operation.log_format(),
    level=operation.log_level(),
    service=operation.service(),
    secrets=[
        *(SECRET_KEY, *SECRET_KEY_FALLBACKS, *VAULT_KEYS, METRICS_TOKEN),
        *(str(DATABASES["default"].get("PASSWORD", "")), urlsplit(REDIS_URL).password or ""),
    ],
)
# Each request and each task at INFO or below: what people do wrong is no warning of ours.
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = DJANGO_STRUCTLOG_CELERY_TASK_RETRY_LOG_LEVEL = logging.INFO
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG

# How often every account is polled, in seconds (DESIGN: figures are complete while younger than three periods).
POLL_PERIOD_S = environment.whole_number("POLL_PERIOD_S", 5, low=1, high=3_600)
ORDER_POLL_PERIOD_S = environment.whole_number("ORDER_POLL_PERIOD_S", 30, low=1, high=3_600)
STALE_AFTER_S = 3 * POLL_PERIOD_S
ORDERS_STALE_AFTER_S = 2 * ORDER_POLL_PERIOD_S + POLL_PERIOD_S  # one reading may fail
POLL_SHARD_ACCOUNTS = 50

# Of one person, with all their tokens; 0 for any number. Questions are requests that an exchange is asked for.
API_REQUESTS_PER_MINUTE = environment.whole_number("API_REQUESTS_PER_MINUTE", 6_000, low=0, high=1_000_000)
API_QUESTIONS_PER_MINUTE = environment.whole_number("API_QUESTIONS_PER_MINUTE", 300, low=0, high=1_000_000)

ROUTING_POLICY = environment.routing_policy()
