from django.contrib import admin
from django.urls import path

from dashboard.api import api
from dashboard.views import home, orders, positions, session

urlpatterns = [
    path("", home.home, name="home"),
    path("panel/<slug:name>", home.panel, name="panel"),
    path("ticket/preview", orders.ticket_preview, name="ticket_preview"),
    path("orders/new", orders.order_create, name="order_create"),
    path("orders/<int:order_id>/cancel", orders.order_cancel, name="order_cancel"),
    path("positions/<int:position_id>/close", positions.position_close, name="position_close"),
    path("login", session.sign_in, name="login"),
    path("login/<str:uid>/<str:token>", session.sign_in_by_link, name="login_link"),
    path("logout", session.sign_out, name="logout"),
    path("password", session.set_password, name="set_password"),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
