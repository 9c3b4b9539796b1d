"""Fields that nobody offered: refused over REST, without effect in forms (S03)."""

from collections.abc import Iterator
from typing import Any, get_args

import orjson
import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from pydantic import BaseModel

from dashboard.api import api
from exchanges.models import ExchangeAccount
from portfolio.models import ApiToken, Membership, Order, Portfolio
from tests.security import ways
from tests.security.conftest import Stage, undone
from tests.security.declared import PAGE_LINES, REST_LINES

FORCED: dict[str, Any] = {
    "owner": 1,
    "user": 1,
    "user_id": 1,
    "account_id": 1,
    "portfolio_id": 1,
    "is_staff": True,
    "is_superuser": True,
    "is_trading_enabled": True,
    "can_withdraw": False,
    "state": "FILLED",
    "role": "manager",
    "version": 1,
    "signed_ts": 1,
    "id": 1,
    "pk": 1,
    "__class__": "x",
    "__proto__": {"is_staff": True},
}


def operations() -> Iterator[Any]:
    for _, router in api._routers:
        for view in router.path_operations.values():
            yield from view.operations


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every pydantic model that a value of this type may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for inner in get_args(annotation):
        yield from models_in(inner)


def input_models() -> set[type[BaseModel]]:
    """What a request is read into; ninja's own wrapper around several of them is not one that anybody fills."""
    return {
        model
        for operation in operations()
        for wrapper in operation.models
        if wrapper.__ninja_param_source__ in ("body", "query", "form")
        for field in wrapper.model_fields.values()
        for model in models_in(field.annotation)
    }


def test_every_schema_of_what_comes_in_forbids_what_it_does_not_name() -> None:
    found = input_models()
    assert {model.__name__ for model in found} >= {"OrderIn", "CloseIn", "RuleIn", "KeysIn", "AccountIn", "LeverageIn", "Paging"}
    assert not [model.__name__ for model in found if model.model_config.get("extra") != "forbid"]


def test_the_walk_finds_a_lenient_schema_however_deep() -> None:
    class Lenient(BaseModel):
        number: int

    class Outer(BaseModel):
        inner: list[dict[str, Lenient | None]]

    assert {model.__name__ for model in models_in(Outer | None)} == {"Outer", "Lenient"}


@pytest.mark.parametrize("name", sorted(FORCED))
def test_no_operation_takes_a_field_that_it_does_not_name(stage: Stage, name: str) -> None:
    for line in REST_LINES:
        body = ways.api_body(line.path, line.method, stage.book)
        if not body or name in orjson.loads(body):
            continue
        forced = orjson.dumps({**orjson.loads(body), name: FORCED[name]})
        role = "trade" if line.answers["trade"] == "in" else "super" if line.answers["manager"] == "no" else "admin"
        answer = stage.send(role, line.method, f"{ways.API}{ways.filled(line.path, stage.book.ids())}", forced)
        assert answer.status_code == 422, (line.path, answer.content)
        assert answer.json()["details"][0]["field"] == name, line.path


def everything_owned() -> dict[str, Any]:
    """What a forced field would be after: who is what, and what belongs to whom."""
    models: dict[type[Model], tuple[str, ...]] = {
        User: ("id", "is_staff", "is_superuser", "is_active", "password"),
        Membership: ("id", "user", "portfolio"),
        Portfolio: ("id", "environment", "name"),
        Order: ("id", "account", "state", "actor"),
        ExchangeAccount: ("id", "environment", "exchange"),
    }
    found: dict[str, Any] = {model.__name__: set(model._default_manager.values_list(*fields)) for model, fields in models.items()}
    found["tokens"] = {each for each in ApiToken.objects.values_list("user", "scopes__0") if each[1] != "read"}
    return found


def test_no_form_takes_a_field_that_it_does_not_have(stage: Stage) -> None:
    stranger = stage.strangers.ids()
    forced = {
        **{name: str(stage.people["stranger"].pk) for name in ("user", "user_id", "owner", "id", "pk")},
        "account_id": str(stranger["account_id"]),
        "portfolio_id": str(stranger["portfolio_id"]),
        **dict.fromkeys(("is_staff", "is_superuser", "is_trading_enabled"), "on"),
        **dict.fromkeys(("password", "prefix", "digest"), "0"),
        "state": "FILLED",
        "environment": "live",
        "exchange": "okx",
    }
    for line in PAGE_LINES:
        if line.method != "POST" or "logout" in line.path:
            continue
        before = everything_owned()
        with undone():
            client, _ = stage.client("manager")
            fields = {**forced, **ways.page_body(line.path, stage.book)}
            client.post(ways.filled(line.path, stage.book.ids()), fields)
            after = everything_owned()
            gained = {name: after[name] - before[name] for name in before}
            # To add a member is what that form is for.
            added = {each for each in gained["Membership"] if each[1:] == (stage.people["super"].pk, stage.book.portfolio.pk)}
            gained["Membership"] -= added
            assert not any(gained.values()), (line.path, gained)
