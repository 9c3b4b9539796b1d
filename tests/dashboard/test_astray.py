"""An address that only takes forms, opened by hand; a form that comes when its session has ended: both say what to do next."""

import pytest
from django.test import Client
from django.urls import reverse

from portfolio.models import ApiToken
from tests.dashboard.conftest import Desk

HERE = "http://testserver"


@pytest.mark.parametrize("path", ["/settings/tokens", "/members/add", "/orders/new", "/ticket/preview", "/accounts/1/switch", "/logout"])
def test_an_address_that_only_takes_forms_says_so_when_it_is_opened(desk: Desk, path: str) -> None:
    answer = desk.client(desk.alice).get(path)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert "takes what a form sends" in answer.content.decode()
    assert 'href="/"' in answer.content.decode()


def test_a_program_gets_no_page(desk: Desk) -> None:
    answer = desk.client(desk.alice).delete("/api/v1/exposure")
    assert answer.status_code == 405
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(
    ("came_from", "goes_on"),
    [
        (f"{HERE}/settings", "/settings"),
        (f"{HERE}/members?portfolio=3", "/members%3Fportfolio%3D3"),
        ("", "/"),
        ("https://evil.example/settings", "/"),
        ("//evil.example", "/"),
    ],
)
def test_a_form_that_comes_after_its_session_is_not_lost_in_silence(desk: Desk, came_from: str, goes_on: str) -> None:
    client = Client(headers={"Referer": came_from} if came_from else {})
    answer = client.post(reverse("token_create"), {"name": "bot", "scopes": "read", "reach": "all", "days": "30"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login?next={goes_on}")
    assert "this was not carried out. Sign in and repeat it." in client.get(answer.headers["Location"]).content.decode()
    assert not ApiToken.objects.exists()


def test_a_panel_whose_session_ended_leaves_no_message_behind(desk: Desk) -> None:
    client = Client()
    answer = client.post(reverse("ticket_preview"), {}, headers={"HX-Request": "true", "Referer": f"{HERE}/"})
    assert answer.headers["Location"] == "/login?next=/"
    assert "not carried out" not in client.get("/login").content.decode()


def test_a_page_that_is_looked_at_is_gone_on_to_as_it_was(desk: Desk) -> None:
    answer = Client().get("/members?portfolio=3", headers={"Referer": f"{HERE}/settings"})
    assert answer.headers["Location"] == "/login?next=/members%3Fportfolio%3D3"


def test_who_is_refused_reads_why_and_whom_to_ask(desk: Desk) -> None:
    answer = desk.client(desk.alice).get(reverse("routing_new"))
    assert answer.status_code == 403
    html = answer.content.decode()
    assert "Changing routing rules needs the permission to change routing rules. Nothing was changed" in html
    assert "ask a manager of the portfolio" in html
    assert "Your role does not permit this. Nothing was changed" in desk.client(desk.alice).get("/members").content.decode()
