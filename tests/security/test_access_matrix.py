"""Every way in x every role x own, foreign and missing object x every method, against the declared table (S01, S02, A1)."""

import difflib
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.urls import resolve
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from portfolio import tokens
from portfolio.models import ApiToken
from tests.dashboard import rows
from tests.security import ways
from tests.security.conftest import Stage
from tests.security.declared import ADMIN_LINES, PAGE_LINES, PEOPLE, REST_LINES, TOKENS, Line

# What an operation says once somebody was let in and only the keys, or the exchange that was named, are wanting.
_WITHOUT_KEYS = {"no_credential", "unknown_region", "no_account"}
_MEMBERS = ("viewer", "trader", "manager")


def named(line: Line) -> str:
    return f"{line.method} {line.path}"


def by_path(lines: list[Line]) -> dict[str, set[str]]:
    methods: dict[str, set[str]] = {}
    for line in lines:
        methods.setdefault(line.path, set()).add(line.method)
    return methods


def test_whatever_exists_is_declared_and_nothing_else() -> None:
    assert ways.page_patterns() == set(by_path(PAGE_LINES))
    assert ways.operations_of_api() == {(line.path, line.method) for line in REST_LINES}
    # An object without a word behind it leads to its change page; whatever else there is answers as missing.
    shown = {pattern for pattern in ways.admin_patterns() if not pattern.endswith(("<object_id>/", "$")) or "/r/" in pattern}
    assert shown == set(by_path(ADMIN_LINES))


def test_no_way_in_is_declared_twice() -> None:
    for lines in (PAGE_LINES, REST_LINES, ADMIN_LINES):
        assert len({named(line) for line in lines}) == len(lines)


def found(answer: Any, declared: str, path: str) -> str:
    """The answer in the words of the table."""
    status = answer.status_code
    if status == 302 and answer.headers["Location"].startswith(("/login?next=", "/admin/login/?next=")):
        return "login"
    if status == 403:
        return "no"
    if declared in ("in", "own") and (status < 400 or _is_operational(answer, status)):
        return declared
    return str(status)


def _is_operational(answer: Any, status: int) -> bool:
    """A refusal for want of keys, of a page (which has no codes) or of the API."""
    if status != 422:
        return False
    if answer.headers["Content-Type"].startswith("application/json"):
        return answer.json()["code"] in _WITHOUT_KEYS
    return b"must have keys" in answer.content


def ask_page(stage: Stage, role: str, line: Line, ids: dict[str, int]) -> Any:
    body = ways.form_of(ways.page_body(line.path, stage.book))
    return stage.send(role, line.method, ways.filled(line.path, ids), body, content_type=ways.FORM)


def ask_api(stage: Stage, role: str, line: Line, ids: dict[str, int]) -> Any:
    path = f"{ways.API}{ways.filled(line.path, ids)}{ways.api_query(line.path)}"
    return stage.send(role, line.method, path, ways.api_body(line.path, line.method, stage.book))


def compared(stage: Stage, line: Line, ask: Any) -> list[str]:
    """What is not as declared, in words."""
    wrong = []
    for role, declared in line.answers.items():
        ids = stage.book.ids()
        if "token_id" in line.path and role in stage.people:
            ids["token_id"] = _own_token(stage, role)
        answer = ask(stage, role, line, ids)
        got = found(answer, declared, line.path)
        if got != declared:
            wrong.append(f"{role}: declared {declared}, got {got} ({answer.content[:120]!r})")
        if role != "stranger" and ways.mentions_stranger(answer.content):
            wrong.append(f"{role}: the answer holds what is the stranger's")
    return wrong


def _own_token(stage: Stage, role: str) -> int:
    user = stage.people[role]
    if not ApiToken.objects.filter(user=user).exists():
        tokens.create(user, f"of {role}", [tokens.READ])
    return ApiToken.objects.filter(user=user).order_by("pk").values_list("pk", flat=True)[0]


def foreign_against_missing(stage: Stage, line: Line, ask: Any, roles: tuple[str, ...]) -> list[str]:
    """What another's object answers beside one that does not exist: status, body and the headers that say anything."""
    wrong = []
    for role in roles:
        answers = [ask(stage, role, line, ids) for ids in (stage.strangers.ids(), ways.missing_ids())]
        told = []
        for answer, ids in zip(answers, (stage.strangers.ids(), ways.missing_ids()), strict=True):
            content = ways.without_random(answer.content)
            headers = {name: value for name, value in answer.headers.items() if name not in ("Content-Length", "X-Request-ID", "Expires")}
            for number in ids.values():
                content = content.replace(f"/{number}/".encode(), b"/N/")
            told.append((answer.status_code, content, headers))
            # A token without the scope is refused whatever object is named.
            declared = "no" if role in TOKENS and line.answers[role] == "no" else line.absent
            if found(answer, declared, line.path) != declared:
                wrong.append(f"{role}: absent is declared {declared}, got {found(answer, declared, line.path)}")
        if told[0] != told[1]:
            wrong.append(f"{role}: foreign and missing differ: {_difference(told[0], told[1])}")
    return wrong


def _difference(one: tuple[Any, ...], other: tuple[Any, ...]) -> list[str]:
    before, after = ([str(part[0]), *part[1].decode().splitlines(), *map(str, part[2].items())] for part in (one, other))
    return list(difflib.unified_diff(before, after, lineterm="", n=0))


@pytest.mark.parametrize("line", PAGE_LINES, ids=named)
def test_a_page_lets_in_whom_it_should(stage: Stage, line: Line) -> None:
    """And a stranger's object is as missing as none."""
    assert not compared(stage, line, ask_page)
    if line.absent != "-":
        assert not foreign_against_missing(stage, line, ask_page, _MEMBERS)


@pytest.mark.parametrize("line", REST_LINES, ids=named)
def test_the_api_lets_in_whom_it_should(stage: Stage, line: Line) -> None:
    """And a stranger's object is as missing as none."""
    assert not compared(stage, line, ask_api)
    if line.absent != "-":
        assert not foreign_against_missing(stage, line, ask_api, (*_MEMBERS, *TOKENS))


# Where an object is named beside the path: (method, path, body, answer). N stands for its id.
REFERENCES = [
    ("GET", "/?portfolio={portfolio_id}", "", 404),
    ("GET", "/panel/positions?portfolio={portfolio_id}", "", 404),
    ("GET", "/panel/topbar?portfolio={portfolio_id}", "", 404),
    ("GET", "/members?portfolio={portfolio_id}", "", 404),
    ("GET", "/accounts/new?portfolio={portfolio_id}", "", 200),
    ("POST", "/members/add", "portfolio={portfolio_id}&username=super-person&role=viewer", 404),
    ("POST", "/accounts/new", "portfolio={portfolio_id}&venue=binance/sandbox/&label=x&api_key=a&api_secret=b&step=connect", 422),
    ("POST", "/ticket/preview", "account={account_id}&symbol=BTCUSDT&side=BUY&order_type=MARKET&quantity=1&idempotency_key=k", 422),
    ("POST", "/orders/new", "account={account_id}&symbol=BTCUSDT&side=BUY&order_type=MARKET&quantity=1&idempotency_key=k", 422),
    ("POST", "/orders/new", "portfolio={portfolio_id}&symbol=BTCUSDT&side=BUY&order_type=MARKET&quantity=1&idempotency_key=k", 422),
    ("POST", "/settings/tokens", "name=n&scopes=read&reach=some&accounts={account_id}&days=90", 422),
    ("GET", "/api/v1/exposure?portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/equity?portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/klines?exchange=binance&symbol=BTCUSDT&interval=1m&portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/orderbook?exchange=binance&symbol=BTCUSDT&portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/tickers?portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/funding?portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/exchanges/routing/resolve?symbol=BTCUSDT&portfolio={portfolio_id}", "", 404),
    ("GET", "/api/v1/orders?account={account_id}", "", 200),
    ("GET", "/api/v1/positions?account={account_id}", "", 200),
    ("GET", "/api/v1/balances?account={account_id}", "", 200),
    ("POST", "/api/v1/orders", '{{"symbol":"BTCUSDT","side":"BUY","order_type":"MARKET","quantity":"1","account":{account_id}}}', 422),
    ("POST", "/api/v1/orders", '{{"symbol":"BTCUSDT","side":"BUY","order_type":"MARKET","quantity":"1","portfolio":{portfolio_id}}}', 422),
    (
        "POST",
        "/api/v1/accounts",
        '{{"portfolio":{portfolio_id},"exchange":"binance","environment":"sandbox","api_key":"a","api_secret":"b","label":"x"}}',
        404,
    ),
    (
        "POST",
        "/api/v1/accounts/test",
        '{{"portfolio":{portfolio_id},"exchange":"binance","environment":"sandbox","api_key":"a","api_secret":"b"}}',
        404,
    ),
]


def test_a_strangers_object_that_a_query_or_a_body_names_is_as_missing_as_none(stage: Stage) -> None:
    wrong = []
    for method, path, body, status in REFERENCES:
        told: list[tuple[Any, ...]] = []
        for ids in (stage.strangers.ids(), ways.missing_ids()):
            kind = "application/json" if path.startswith(ways.API) else ways.FORM
            answer = stage.send("manager", method, path.format(**ids), body.format(**ids).encode(), content_type=kind)
            content = ways.without_random(answer.content)
            if ways.mentions_stranger(content):
                wrong.append(f"{method} {path}: the answer holds what is the stranger's")
            for number in (ids["portfolio_id"], ids["account_id"]):
                content = content.replace(str(number).encode(), b"N")
            told.append((answer.status_code, content, {}))
        if told[0] != told[1] or told[0][0] != status:
            wrong.append(f"{method} {path}: {told[0][0]}, {_difference(told[0], told[1])}")
    assert not wrong


def test_a_page_answers_no_other_method(stage: Stage) -> None:
    """As nobody and as the manager, whom everything else would let in; HEAD goes with GET."""
    wrong = []
    for path, declared in by_path(PAGE_LINES).items():
        for method in sorted(set(ways.METHODS) - declared - ({"HEAD"} if "GET" in declared else set())):
            for role in ("nobody", "manager"):
                answer = stage.send(role, method, ways.filled(path, stage.book.ids()), b"", content_type=ways.FORM)
                is_asked_in = role == "nobody" and found(answer, "", path) == "login"
                is_in_already = path == "/login" and answer.headers.get("Location") == "/"
                if answer.status_code in (404, 405) or is_asked_in or is_in_already or _only_says_what_may_be(answer, method):
                    continue
                wrong.append(f"{method} {path} as {role}: {answer.status_code}")
    assert not wrong


def _only_says_what_may_be(answer: Any, method: str) -> bool:
    return bool(method == "OPTIONS" and answer.status_code == 200 and not answer.content and "Allow" in answer.headers)


def test_the_api_answers_no_other_method(stage: Stage) -> None:
    wrong = []
    for path, declared in by_path(REST_LINES).items():
        for method in sorted(set(ways.METHODS) - declared - ({"HEAD"} if "GET" in declared else set())):
            for role in ("nobody", "manager", "trade", "admin"):
                full = f"{ways.API}{ways.filled(path, stage.book.ids())}"
                status = stage.send(role, method, full, ways.api_body(path, method, stage.book)).status_code
                if status != 405:
                    wrong.append(f"{method} {path} as {role}: {status}")
    assert not wrong


# Reached by everybody: they say no more than that one has to sign in, or end a session.
_FOR_ALL = ("/login/", "/logout/", "/jsi18n/", "/password_change/")


def test_the_admin_shows_nobody_but_superusers_what_is_anothers(stage: Stage, schedules: None) -> None:
    wrong = []
    for line in ADMIN_LINES:
        for role in PEOPLE:
            if role not in line.answers and line.path in _FOR_ALL:
                continue
            declared = line.answers.get(role, "login")
            answer = stage.send(role, line.method, f"/admin{admin_path(stage, line.path)}")
            got = "404" if _is_said_to_be_missing(answer) else found(answer, declared, line.path)
            if got != declared:
                wrong.append(f"{named(line)} as {role}: declared {declared}, got {got} ({answer.content[:80]!r})")
            if role == "staff" and (ways.mentions_stranger(answer.content) or b"The book" in answer.content):
                wrong.append(f"{named(line)}: staff see the names of others' books")
    assert not wrong


@pytest.fixture
def schedules(stage: Stage) -> None:
    """A row of each kind that the schedule has, all numbered 1 or named so that the admin finds them."""
    interval = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)
    PeriodicTask.objects.create(interval=interval, name="one", task="portfolio.tasks.tidy")
    CrontabSchedule.objects.create()
    SolarSchedule.objects.create(event="sunrise", latitude=0, longitude=0)
    ClockedSchedule.objects.create(clocked_time=rows.now())
    Group.objects.create(name="one")


def _is_said_to_be_missing(answer: Any) -> bool:
    """The admin's way: back to its first page, with a message."""
    return bool(answer.status_code == 302 and answer.headers["Location"] == "/admin/")


def admin_path(stage: Stage, path: str) -> str:
    ids = {"exchangeaccount": stage.book.account.pk, "portfolio": stage.book.portfolio.pk, "order": stage.book.order.pk}
    ids |= {"apitoken": stage.book.token.pk, "user": stage.people["viewer"].pk, "id": stage.people["viewer"].pk}
    if "<object_id>" in path:
        app, model = path.split("/")[1:3]
        row = ids.get(model) or apps.get_model(app, model)._default_manager.values_list("pk", flat=True)[0]
        path = path.replace("<object_id>", str(row))
    path = path.replace("<app_label>", "portfolio").replace("<id>", str(ids["id"]))
    return path.replace("<path:content_type_id>", "1").replace("<path:object_id>", "1")


def test_every_declared_page_is_found_by_its_path(stage: Stage) -> None:
    for path in by_path(PAGE_LINES):
        resolve(ways.filled(path, stage.book.ids()))
