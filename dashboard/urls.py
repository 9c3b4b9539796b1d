from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from dashboard.api import api
from dashboard.views import accounts, health, home, margin, orders, people, positions, routing, session, settings

urlpatterns = [
    path("", home.home, name="home"),
    path("panel/<slug:name>", home.panel, name="panel"),
    path("ticket/preview", orders.ticket_preview, name="ticket_preview"),
    path("orders/new", orders.order_create, name="order_create"),
    path("orders/<int:order_id>/cancel", orders.order_cancel, name="order_cancel"),
    path("positions/<int:position_id>/close", positions.position_close, name="position_close"),
    path("login", session.SignIn.as_view(), name="login"),
    path("login/<str:uid>/<str:token>", session.sign_in_by_link, name="login_link"),
    path("logout", session.sign_out, name="logout"),
    path("password", session.set_password, name="set_password"),
    path("settings", settings.settings, name="settings"),
    path("settings/tokens", settings.token_create, name="token_create"),
    path("settings/tokens/<int:token_id>/revoke", settings.token_revoke, name="token_revoke"),
    path("settings/sessions/end-others", settings.sessions_end_others, name="sessions_end_others"),
    path("settings/sessions/<slug:handle>/end", settings.session_end, name="session_end"),
    path("members", people.members, name="members"),
    path("members/add", people.member_add, name="member_add"),
    path("members/<int:membership_id>/role", people.member_change, name="member_change"),
    path("members/<int:membership_id>/remove", people.member_remove, name="member_remove"),
    path("accounts", accounts.accounts, name="accounts"),
    path("accounts/new", accounts.account_new, name="account_new"),
    path("accounts/<int:account_id>", accounts.account, name="account"),
    path("accounts/<int:account_id>/keys", accounts.account_keys, name="account_keys"),
    path("accounts/<int:account_id>/switch", accounts.account_switch, name="account_switch"),
    path("accounts/<int:account_id>/rename", accounts.account_rename, name="account_rename"),
    path("accounts/<int:account_id>/margin", margin.account_margin, name="account_margin"),
    path("accounts/<int:account_id>/archive", accounts.account_archive, name="account_archive"),
    path("routing", routing.rules_page, name="routing"),
    path("routing/new", routing.rule_new, name="routing_new"),
    path("routing/import", routing.rules_import, name="routing_import"),
    path("routing/export", routing.rules_export, name="routing_export"),
    path("routing/history", routing.rule_history, name="routing_history"),
    path("routing/<int:rule_id>", routing.rule_edit, name="routing_rule"),
    path("routing/<int:rule_id>/switch", routing.rule_switch, name="routing_switch"),
    path("routing/<int:rule_id>/delete", routing.rule_delete, name="routing_delete"),
    path("api/v1/", api.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    # One way in, and one to change a password, for all pages: those that count failures.
    path("admin/login/", session.sign_in_to_admin),
    path("admin/password_change/", RedirectView.as_view(pattern_name="set_password")),
    path("admin/", admin.site.urls),
]
