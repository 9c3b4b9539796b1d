"""The ASGI application: pages and REST by Django, the live socket by Channels."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
django_application = get_asgi_application()

from dashboard import checks, edge, environment, metrics, operation  # noqa: E402  (models are usable only after Django is set up)
from dashboard.consumers import BookConsumer  # noqa: E402

if operation.service():
    checks.say_at_start()

sockets = AuthMiddlewareStack(URLRouter([path("ws/portfolio/<int:portfolio_id>/", BookConsumer.as_asgi())]))
application = edge.behind_proxy(
    edge.for_machines(
        ProtocolTypeRouter({"http": django_application, "websocket": metrics.counted_socket(sockets)}),
        environment.site_host(),
    ),
    operation.trusted_proxies(),
)
