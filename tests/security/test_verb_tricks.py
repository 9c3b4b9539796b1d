"""Requests that are written oddly so that somebody's rule does not recognise them (S13): always the same decision, or nothing found."""

import pytest

from portfolio.models import Order
from tests.security import ways
from tests.security.conftest import Stage, undone

_OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")


@pytest.mark.parametrize("name", _OVERRIDES)
@pytest.mark.parametrize(("method", "meant"), [("GET", "DELETE"), ("POST", "DELETE"), ("GET", "POST"), ("POST", "GET")])
def test_a_header_does_not_change_the_method(stage: Stage, name: str, method: str, meant: str) -> None:
    path = f"/api/v1/orders/{stage.book.order.pk}"
    with undone():
        answer = stage.send("trader", method, path, b"", **{name: meant})
        assert answer.status_code == (200 if method == "GET" else 405)
    stage.book.order.refresh_from_db()
    assert (stage.book.order.state, stage.book.order.cancel_requested_at) == ("NEW", None)
    # A token that reads stays one, whatever it claims to do.
    assert stage.send("read", "DELETE", path, b"", **{name: "GET"}).status_code == 403


@pytest.mark.parametrize("field", ["_method", "_METHOD", "X-HTTP-Method-Override"])
def test_a_field_does_not_change_the_method(stage: Stage, field: str) -> None:
    path = f"/accounts/{stage.book.account.pk}/archive"
    for method, query, body in (("GET", f"?{field}=POST&label=Ours", b""), ("PUT", "", f"{field}=POST&label=Ours".encode())):
        assert stage.send("manager", method, path + query, body, content_type=ways.FORM).status_code == 405


@pytest.mark.parametrize("method", ["get", "Get", "GET ", " GET", "G%45T", "TRACE", "CONNECT", "PROPFIND", "FOO", "HEAD", "QUERY"])
def test_no_method_opens_what_is_closed(stage: Stage, method: str) -> None:
    for path in ("/accounts", f"/accounts/{stage.book.account.pk}", "/api/v1/orders", f"/api/v1/orders/{stage.book.order.pk}"):
        answer = stage.send("nobody", method, path)
        assert answer.status_code in (302, 401, 404, 405), (method, path)
        assert b"Ours" not in answer.content


def spellings(path: str) -> list[str]:
    head, _, last = path.rpartition("/")
    return [
        f"{path}/",
        f"/{path}",
        f"{head}//{last}",
        f"{head}/./{last}",
        f"{head}/x/../{last}",
        f"{head}%2f{last}",
        f"{head}/%2e/{last}",
        f"{head}/{last}%20",
        f"{head}/{last}%00",
        f"{head}/{last};a=b",
        f"{head}/{last}.json",
        f"{path.upper()}",
        f"{path.replace('accounts', 'Accounts').replace('orders', 'Orders')}",
        f"{head}\\{last}",
        f"{path}%23",
        f"{path}%3fportfolio=1",
    ]


@pytest.mark.parametrize("role", ["nobody", "viewer", "stranger", "read"])
def test_no_spelling_of_an_address_opens_more_than_the_right_one(stage: Stage, role: str) -> None:
    """What is declared for the right spelling is the most that any other may answer."""
    order, account = stage.book.order.pk, stage.book.account.pk
    for method, path in (
        ("POST", f"/orders/{order}/cancel"),
        ("POST", f"/accounts/{account}/archive"),
        ("GET", f"/accounts/{account}/keys"),
        ("DELETE", f"/api/v1/orders/{order}"),
        ("POST", f"/api/v1/accounts/{account}/disable"),
        ("PUT", f"/api/v1/accounts/{account}/leverage"),
    ):
        body = b'{"symbol": "BTCUSDT", "leverage": 5}' if path.endswith("leverage") else b""
        for spelling in spellings(path):
            answer = stage.send(role, method, spelling, body)
            assert answer.status_code in (301, 302, 400, 401, 403, 404, 405), (spelling, answer.status_code)
            if answer.status_code in (301, 302):
                assert answer.headers["Location"].startswith(("/login", path)), spelling
    assert Order.objects.filter(cancel_requested_at=None).count() == Order.objects.count()


@pytest.mark.parametrize(
    "number", ["0", "-1", "1e3", "0x10", "01", " 1", "1 ", "+1", "１", "٣", "1.0", "9" * 19, "9" * 400, "1%2c2", "null", "*", "1'--"]
)
def test_only_an_id_in_plain_digits_names_an_object(stage: Stage, number: str) -> None:
    for method, path in (
        ("GET", "/accounts/{}"),
        ("POST", "/orders/{}/cancel"),
        ("GET", "/?portfolio={}"),
        ("GET", "/panel/positions?portfolio={}"),
        ("GET", "/members?portfolio={}"),
        ("GET", "/api/v1/orders/{}"),
    ):
        answer = stage.send("manager", method, path.format(number))
        assert answer.status_code == 404, (path, number)
    for path in ("/api/v1/exposure?portfolio={}", "/api/v1/orders?account={}", "/api/v1/equity?portfolio={}"):
        answer = stage.send("manager", "GET", path.format(number.replace("+", "%2b").replace(" ", "%20")))
        assert answer.status_code in (404, 422) or (answer.status_code == 200 and answer.json()["items"] == []), (path, number)
