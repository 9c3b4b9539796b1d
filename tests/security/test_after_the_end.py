"""Who was let in once and is not any more: closed accounts, members who left, objects that were archived (S09, S14)."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from exchanges.models import ExchangeAccount
from portfolio.execution.place import Idempotency
from portfolio.models import ApiToken, IdempotencyKey, Membership, Role
from tests.dashboard import rows
from tests.security import ways
from tests.security.conftest import Stage
from tests.security.declared import PAGE_LINES, REST_LINES


def repeated(stage: Stage, body: dict[str, object]) -> None:
    """The trader has sent this once, with the key k1, and an order of the book came of it."""
    idempotency = Idempotency.of("k1", body)
    assert idempotency is not None
    IdempotencyKey.objects.create(
        actor=stage.people["trader"],
        key="k1",
        body_digest=idempotency.digest,
        order=stage.book.order,
        created_at=rows.now(),
    )


def leave(stage: Stage, role: str) -> None:
    Membership.objects.filter(user=stage.people[role]).delete()


def test_a_repeated_close_tells_nothing_to_a_member_who_left(stage: Stage) -> None:
    path = f"/positions/{stage.book.position.pk}/close"
    fields = ways.form_of(ways.page_body("/positions/<int:position_id>/close", stage.book))
    repeated(stage, {"position": stage.book.position.pk, "fraction": "1"})
    assert stage.send("trader", "POST", path, fields, content_type=ways.FORM).status_code == 302
    leave(stage, "trader")
    for headers in ({}, {"HX-Request": "true"}):
        answer = stage.send("trader", "POST", path, fields, content_type=ways.FORM, **headers)
        assert answer.status_code == 404
        assert "HX-Trigger" not in answer.headers


def test_a_repeated_order_over_rest_tells_nothing_to_a_member_who_left(stage: Stage) -> None:
    close = f"/api/v1/positions/{stage.book.position.pk}/close"
    repeated(stage, {"position": stage.book.position.pk, "fraction": "1"})
    assert stage.send("trader", "POST", close, b'{"fraction": "1"}', **{"Idempotency-Key": "k1"}).status_code == 201
    leave(stage, "trader")
    assert stage.send("trader", "POST", close, b'{"fraction": "1"}', **{"Idempotency-Key": "k1"}).status_code == 404


@pytest.mark.parametrize("end", ["left", "closed", "deleted"])
def test_whoever_is_gone_is_let_in_nowhere(stage: Stage, end: str) -> None:
    """From the next request on, with session and token; a closed account's tokens of the manager end with it."""
    manager = stage.people["manager"]
    if end == "left":
        leave(stage, "manager")
    elif end == "closed":
        User.objects.filter(pk=manager.pk).update(is_active=False)
    else:
        User.objects.filter(pk=manager.pk).delete()
        assert not ApiToken.objects.filter(user=manager.pk).exists()
    for line in (*PAGE_LINES, *REST_LINES):
        if line.answers["nobody"] == "in" or ("{" not in line.path and "<int" not in line.path):
            continue
        if "rule_id" in line.path or "token_id" in line.path or "{symbol}" in line.path:
            continue
        for role in ("manager", "admin") if line in REST_LINES else ("manager",):
            answer = ask(stage, line, role)
            expected = {404, 403} if end == "left" else {302, 401}
            assert answer.status_code in expected, (line.path, role, answer.status_code)
            assert b"Ours" not in answer.content, line.path


def ask(stage: Stage, line: Any, role: str) -> Any:
    if line in REST_LINES:
        path = f"{ways.API}{ways.filled(line.path, stage.book.ids())}"
        return stage.send(role, line.method, path, ways.api_body(line.path, line.method, stage.book))
    path = ways.filled(line.path, stage.book.ids())
    return stage.send(role, line.method, path, ways.form_of(ways.page_body(line.path, stage.book)), content_type=ways.FORM)


def test_a_smaller_role_counts_from_the_next_request(stage: Stage) -> None:
    Membership.objects.filter(user=stage.people["manager"]).update(role=Role.VIEWER)
    for line in (*PAGE_LINES, *REST_LINES):
        if line.answers["viewer"] == "no" and line.answers["manager"] in ("in", "422"):
            answer = ask(stage, line, "manager")
            assert answer.status_code == 403, (line.method, line.path, answer.status_code)


def test_an_archived_account_is_gone_for_all_and_its_orders_stay(stage: Stage) -> None:
    ExchangeAccount.objects.filter(pk=stage.book.account.pk).update(archived_at=rows.now(), is_enabled=False)
    number = stage.book.account.pk
    assert stage.send("manager", "GET", f"/accounts/{number}").status_code == 404
    assert stage.send("admin", "POST", f"/api/v1/accounts/{number}/enable").status_code == 404
    assert stage.send("trade", "PUT", f"/api/v1/accounts/{number}/leverage", b'{"symbol": "BTCUSDT", "leverage": 5}').status_code == 404
    assert stage.send("trade", "DELETE", f"/api/v1/orders/{stage.book.order.pk}").status_code in (409, 422)
    assert stage.send("read", "GET", "/api/v1/orders").json()["count"] == 1
    assert stage.send("read", "GET", "/api/v1/positions").json()["count"] == 0
