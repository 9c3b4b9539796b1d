"""The description of the API and the page that shows it: for whoever may call the API, and from this host alone."""

import re
from typing import Any

import pytest
from django.test import Client

from dashboard.api import api
from tests.dashboard import rows
from tests.dashboard.conftest import Desk

DESCRIPTION, PAGE = "/api/v1/openapi.json", "/api/v1/docs"


@pytest.fixture
def client(desk: Desk) -> Client:
    return desk.client(desk.alice)


@pytest.mark.parametrize("scope", ["read", "trade", "admin"])
def test_a_token_is_served_the_description(desk: Desk, scope: str) -> None:
    bearer: Any = rows.bearer(desk.alice, scope)
    assert Client().get(DESCRIPTION, **bearer).json()["info"]["title"] == "Crossbook"
    assert Client().get(PAGE, **bearer).status_code == 200


@pytest.mark.django_db
def test_a_stranger_is_told_nothing_and_a_person_to_sign_in() -> None:
    answer = Client().get(DESCRIPTION)
    assert (answer.status_code, answer.json()["code"], answer.headers["WWW-Authenticate"]) == (401, "unauthenticated", "Bearer")
    assert "/orders" not in answer.content.decode()
    page = Client().get(PAGE)
    assert (page.status_code, page.headers["Location"]) == (302, f"/login?next={PAGE}")


@pytest.mark.parametrize("path", [DESCRIPTION, PAGE])
def test_a_bad_token_beside_a_valid_cookie_is_refused(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Authorization": "Bearer cbk_00000000_wrong"})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_it_names_the_bearer_token_and_what_every_operation_may_answer(client: Client) -> None:
    answer = client.get(DESCRIPTION)
    assert answer.status_code == 200
    described = answer.json()
    assert described["info"]["title"] == "Crossbook"
    [scheme] = described["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    assert described["paths"]["/api/v1/orders"]["post"]["security"]
    assert "security" not in described["paths"]["/api/v1/health"]["get"]
    del described["paths"]["/api/v1/health"]
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert all({"401", "403", "422"} <= set(operation["responses"]) for operation in operations)


def test_the_description_says_when_a_total_is_null() -> None:
    properties = api.get_openapi_schema()["components"]["schemas"]["ExposureOut"]["properties"]
    for name in ("as_of", "equity_usd", "gross_usd", "net_usd", "long_usd", "short_usd", "unrealized_pnl_usd"):
        assert {"type": "null"} in properties[name]["anyOf"], name
        assert "null while" in properties[name]["description"], name


def test_the_page_needs_no_other_host_and_no_inline_script(client: Client) -> None:
    answer = client.get(PAGE)
    html = answer.content.decode()
    assert answer.status_code == 200
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:)?//", html)
    scripts = re.findall(r"<script([^>]*)>", html)
    assert scripts
    assert all("src=" in attributes or "application/json" in attributes for attributes in scripts)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src" not in policy
    for source in re.findall(r"(?:src|href)=\"([^\"]+)\"", html):
        file = Client().get(source)
        assert (file.status_code, bool(file.getvalue())) == (200, True), source
        file.close()


def test_only_the_page_may_show_images_from_data_urls(client: Client) -> None:
    assert "data:" in client.get(PAGE).headers["Content-Security-Policy"]
    for path in ("/", "/login", DESCRIPTION, "/api/v1/exposure"):
        assert "data:" not in client.get(path).headers["Content-Security-Policy"], path
