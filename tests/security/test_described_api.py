"""The API against its own description: schemathesis makes what the description allows and what it forbids, for three callers, the same in
every run (S68). Nothing answers 5xx, nothing that is not described, and nobody does what their token may not. The venues are simulated."""

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.transport import Response
from schemathesis.specs.openapi import checks as openapi_checks

from dashboard.api import api
from portfolio import tokens
from portfolio.models import Membership, Role
from tests.conftest import Cast
from tests.dashboard import rows
from tests.dashboard.conftest import floor
from tests.security.conftest import fresh_client
from tests.security.declared import REST_LINES

__all__ = ["floor"]  # a fixture

load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]
CALLERS = ("session", "read", "trade")
CASES = 2_000
_OF_TRANSPORT = {"content-length", "cookie", "host"}
# Those of a trader whose session is asked; a token of the same person can do no more than its scope.
_LINES = {(line.path, line.method): line for line in REST_LINES}


SERVED = {200, 201, 202, 204}
REAL = {"symbol": "BTCUSDT", "exchange": "binance", "interval": "1m", "leverage": 5, "fraction": "1"}
MARKET_ORDER = {"symbol": "BTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.01"}
# Of managers and of those who may change rules; alice is a trader. Order and position are such that their exchange does not know them.
ONLY_FOR_OTHERS = {
    "POST /api/v1/accounts",
    "POST /api/v1/accounts/test",
    "POST /api/v1/accounts/{account_id}/disable",
    "POST /api/v1/accounts/{account_id}/enable",
    "POST /api/v1/positions/{position_id}/close",
    "DELETE /api/v1/orders/{order_id}",
    "PUT /api/v1/exchanges/routing/{symbol}",
    "DELETE /api/v1/exchanges/routing/{symbol}",
}


@cache
def described() -> Any:
    return schemathesis.openapi.from_dict(deepcopy(dict(api.get_openapi_schema())))


def operations() -> dict[str, Any]:
    found = (result.ok() for result in described().get_all_operations())
    return {f"{operation.method.upper()} {operation.path}": operation for operation in found}


EACH = -(-CASES // (len(operations()) * len(CALLERS)))


@dataclass(frozen=True, slots=True)
class Caller:
    """What is sent to be this caller, and the ids that exist for them."""

    headers: dict[str, str]
    cookies: dict[str, str]
    ids: dict[str, list[int]]


@pytest.fixture
def callers(floor: Cast) -> dict[str, Caller]:
    """Alice as a trader: by browser, by a token that reads, by one that trades."""
    Membership.objects.filter(user=floor.alice).update(role=Role.TRADER)
    ids = {
        "order_id": [rows.order(floor.binance).pk],
        "position_id": [rows.position(floor.okx).pk],
        "account_id": [account.pk for account in floor.accounts],
    }
    browser = fresh_client()
    browser.force_login(floor.alice)
    browser.get("/settings")
    cookies = {name: browser.cookies[name].value for name in ("sessionid", "csrftoken")}
    found = {"session": Caller({"X-CSRFToken": cookies["csrftoken"]}, cookies, ids)}
    for scope in ("read", "trade"):
        found[scope] = Caller({"Authorization": f"Bearer {tokens.create(floor.alice, scope, [scope])}"}, {}, ids)
    return found


def takes_something(operation: Any) -> bool:
    return bool(list(operation.iter_parameters()) or operation.body)


def strategies_of(operation: Any) -> st.SearchStrategy[Any]:
    """Allowed and forbidden input; an operation that takes none can be given nothing wrong."""
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes_something(operation) else [])]
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


@pytest.mark.parametrize("name", sorted(operations()))
def test_an_operation_keeps_to_its_description(callers: dict[str, Caller], name: str) -> None:
    cases = strategies_of(operations()[name])
    answered = Counter[int]()

    @settings(
        max_examples=EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def keeps_to_it(who: str, data: st.DataObject) -> None:
        case, caller = data.draw(cases), callers[who]
        put_in_what_exists(case, caller, data)
        answer = sent(case, caller)
        answered[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS, headers=caller.headers)
        if who != "session" and declared(name, who) == "no" and answer.status_code not in (404, 405):
            assert answer.status_code == 403, (name, answer.content)

    for who in CALLERS:
        keeps_to_it(who)
    assert answered.total() >= EACH * len(CALLERS) or not takes_something(operations()[name])
    assert set(answered) & SERVED or name in ONLY_FOR_OTHERS, f"{name} never did what it is for: {answered}"


def put_in_what_exists(case: Any, caller: Caller, data: st.DataObject) -> None:
    """What is made up finds nothing: every second case is about an object, a symbol, an order that there are."""
    if data.draw(st.booleans()):
        return
    for parameter, existing in caller.ids.items():
        if parameter in (case.path_parameters or {}):
            case.path_parameters[parameter] = data.draw(st.sampled_from(existing))
    for values in (case.query, case.body):
        if isinstance(values, dict):
            values.update({name: value for name, value in REAL.items() if name in values})
            for name in ("account", "portfolio", "start", "end"):
                values.pop(name, None)
    if case.path.endswith("/orders") and isinstance(case.body, dict):
        case.body = {**MARKET_ORDER, "reduce_only": case.body.get("reduce_only", False)}


def sent(case: Any, caller: Caller) -> Response:
    """Through the whole site, in this process. Who calls is ours to say, whatever the case would send."""
    case.headers.pop("Authorization", None)
    case.cookies = {}
    request = requests.Request(**case.as_transport_kwargs(base_url="http://testserver")).prepare()
    headers = {name: str(value) for name, value in {**request.headers, **caller.headers}.items() if name.lower() not in _OF_TRANSPORT}
    body = request.body or b""
    client = fresh_client()
    client.cookies.load(caller.cookies)
    kind = headers.pop("Content-Type", "")
    found = client.generic(request.method or "", request.path_url, body, content_type=kind, headers=headers)
    told = {name.lower(): [value] for name, value in found.headers.items()}
    return Response(found.status_code, told, found.content, request, elapsed=0.0, verify=False)


def declared(name: str, scope: str) -> str:
    method, path = name.split(" ", 1)
    return _LINES[path.removeprefix("/api/v1"), method].answers[scope]


def test_it_is_as_many_cases_as_promised() -> None:
    assert EACH * len(operations()) * len(CALLERS) >= CASES
