"""Keys with unmistakable bytes go through everything that uses them, also where it fails and crashes; then they are looked for wherever
something is kept, said or handed on (S1, S10, S47, S48)."""

import base64
import contextlib
import copy
import io
import logging
import os
import pickle
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import psutil
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings
from redis import Redis

from exchanges import accounts, listing
from exchanges.models import Credential, ExchangeAccount
from portfolio import key_watch, rounds, tasks
from portfolio.models import Role
from tests.dashboard import rows
from tests.security.canary import Canary, everything_in, forms_of
from tests.security.conftest import fresh_client
from tests.simulated import Sandbox

CHATTY = ("", "aiohttp", "aiohttp.client", "websockets", "asyncio", "django", "celery", "kombu", "urllib3", "exchanges", "portfolio")
SIGNED = re.compile(r"signature=[0-9a-f]{16}|X-BAPI-SIGN['\"]?:|OK-ACCESS-SIGN['\"]?:|X-MBX-APIKEY['\"]?:|OK-ACCESS-PASSPHRASE", re.I)


class Everything(logging.Handler):
    """Every event of every logger as text, with tracebacks, before anything is blacked out and after."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.raw: list[str] = []
        self._plain = logging.Formatter("%(name)s %(levelname)s %(message)s")
        self.written: list[str] = []
        self._ours = next(handler.formatter for handler in logging.getLogger().handlers if handler.get_name() == "console")

    def emit(self, record: logging.LogRecord) -> None:
        self.raw.append(self._plain.format(copy.copy(record)) + repr(record.args))
        if self._ours is not None:
            self.written.append(self._ours.format(copy.copy(record)))


@pytest.fixture
def log() -> Iterator[Everything]:
    handler = Everything()
    loggers = [logging.getLogger(name) for name in CHATTY]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@dataclass(slots=True)
class Life:
    """What a manager does with keys, with everything that the site answers kept in `answers`."""

    manager: User
    client: Client
    portfolio_id: int
    answers: list[tuple[str, bytes]] = field(default_factory=list)

    def keep(self, what: str, answer: Any) -> Any:
        headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        self.answers.append((f"{what} {answer.status_code}", headers.encode() + b"\n" + b"".join(answer)))
        return answer

    def post(self, path: str, fields: dict[str, Any], status: int, **options: Any) -> Any:
        answer = self.keep(path, self.client.post(path, fields, **options))
        assert answer.status_code == status, (path, answer.content[-2_000:])
        return answer

    def api(self, path: str, body: dict[str, Any], status: int) -> Any:
        return self.post(f"/api/v1/{path}", body, status, content_type="application/json")


def keys_of(name: str, exchange: str) -> dict[str, str]:
    key = f"sandbox-{name}"
    return {"api_key": key, "api_secret": f"{key}-secret", **({"passphrase": f"{key}-passphrase"} if exchange == "okx" else {})}


@contextlib.contextmanager
def without_table(name: str) -> Iterator[None]:
    """A database in which something is broken."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {name}_away")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {name}_away RENAME TO {name}")


@dataclass(frozen=True, slots=True)
class Lived:
    life: Life
    canary: Canary
    accounts: list[ExchangeAccount]
    log: Everything


@pytest.fixture
def lived(transactional_db: None, sandbox: Sandbox, log: Everything) -> Lived:
    """Connect, look, trade, cancel, renew, fail and crash with the canary's keys."""
    names = [f"CaNaRy{uuid.uuid4().hex}" for _ in range(3)]
    wrong = {"api_secret": f"WrOnG{uuid.uuid4().hex}-{uuid.uuid4().hex}"}
    manager = rows.person("mary")
    portfolio = rows.portfolio("Mary's book", {manager: Role.MANAGER})
    client = fresh_client()
    client.raise_request_exception = False
    client.force_login(manager)
    life = Life(manager, client, portfolio.pk)
    for exchange, name in zip(("binance", "bybit", "okx"), names, strict=True):
        keys = keys_of(name, exchange)
        page = {"portfolio": portfolio.pk, "venue": f"{exchange}/sandbox/", "label": "Main", "step": "connect"}
        rest = {"portfolio": portfolio.pk, "exchange": exchange, "environment": "sandbox"}
        life.post("/accounts/new", {**page, **keys, **wrong}, 422)
        life.api("accounts/test", {**rest, **keys, **wrong}, 422)
        life.api("accounts/test", {**rest, **keys}, 200)
        life.api("accounts", {**rest, **keys, "label": "x", "misspelt_secret": keys["api_secret"]}, 422)
        crash(life, page, rest, keys)
        if exchange == "okx":
            life.post("/accounts/new", {**page, **keys}, 302)
        else:
            life.api("accounts", {**rest, **keys, "label": "Main"}, 201)
    connected = list(ExchangeAccount.objects.select_related("credential").order_by("pk"))
    for venue in listing.venues_in_use():
        listing.read_instruments(*venue)
        listing.read_marks(*venue)
    for account, name in zip(connected, names, strict=True):
        use(life, account, keys_of(name, account.exchange), wrong, sandbox)
    return Lived(life, Canary((*(f"sandbox-{name}" for name in names), wrong["api_secret"])), connected, log)


def crash(life: Life, page: dict[str, Any], rest: dict[str, Any], keys: dict[str, str]) -> None:
    """By form and by REST, with the page for developers and without it."""
    with without_table("exchanges_credential"):
        for debug in (True, False):
            with override_settings(DEBUG=debug):
                answer = life.keep(f"crash, DEBUG {debug}", life.client.post("/accounts/new", {**page, **keys}))
                assert answer.status_code == 500
                assert (b"Traceback" in answer.content) == debug
                body = {**rest, **keys, "label": "Main"}
                answer = life.keep("crash over REST", life.client.post("/api/v1/accounts", body, "application/json"))
                assert answer.status_code in (500, 503)


def use(life: Life, account: ExchangeAccount, keys: dict[str, str], wrong: dict[str, str], sandbox: Sandbox) -> None:
    life.post(f"/accounts/{account.pk}/switch", {"switch": "trading_on"}, 302)
    life.post(f"/accounts/{account.pk}/switch", {"switch": "check"}, 302)
    order = {"symbol": "ETHUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.1", "account": account.pk}
    life.api("orders", order, 201)
    for fault in ({"kind": "reset"}, {"kind": "status", "status": 500}):
        sandbox.fault(account.exchange, fault, stage="after", times=2, method="POST")
        life.keep("an order that went wrong", life.client.post("/api/v1/orders", order, "application/json"))
        sandbox.clear()
    rounds.poll_holdings([account.pk])
    rounds.poll_orders([account.pk])
    sandbox.control("POST", "venue", {"venue": account.exchange, "up": False})
    rounds.poll_holdings([account.pk])
    sandbox.clear()
    life.post(f"/accounts/{account.pk}/keys", {**keys, **wrong}, 422)
    life.post(f"/accounts/{account.pk}/keys", keys, 302)
    key_watch.check_keys([account.pk], rows.now())
    tasks.refresh_account.delay(account.pk)
    tasks.check_keys.delay([account.pk])
    for path in ("/", "/accounts", f"/accounts/{account.pk}", "/settings", "/api/v1/accounts", "/api/v1/orders", "/api/v1/openapi.json"):
        life.keep(path, life.client.get(path))


def test_the_keys_are_nowhere_to_be_found(lived: Lived) -> None:
    places: dict[str, bytes | str] = {
        "what was logged, as it was said": "\n".join(lived.log.raw),
        "what was logged, as it is written": "\n".join(lived.log.written),
        "dumpdata": dumped(),
        **{f"answer {number} {what}": content for number, (what, content) in enumerate(lived.life.answers)},
        **admin_pages(),
        **objects(lived.accounts),
        **processes(),
    }
    with Redis.from_url(settings.REDIS_URL) as client:
        places |= {f"Valkey {number}": content for number, content in enumerate(everything_in(client))}
    assert len(lived.log.raw) > 100
    assert any(name.startswith("Valkey") for name in places)
    leaks = {place: found for place, content in places.items() if (found := lived.canary.found_in(content))}
    assert not leaks
    signed = [line[:200] for line in (*lived.log.raw, *lived.log.written) if SIGNED.search(line)]
    assert not signed


def dumped() -> str:
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    assert "exchanges.credential" in out.getvalue()
    return out.getvalue()


def admin_pages() -> dict[str, bytes]:
    client = fresh_client()
    client.force_login(rows.person("root", is_staff=True, is_superuser=True))
    account = ExchangeAccount.objects.order_by("pk")[0]
    paths = [f"exchanges/exchangeaccount/{account.pk}/{what}/" for what in ("change", "history")]
    paths += ["", "exchanges/exchangeaccount/", "portfolio/order/", "portfolio/portfolio/", "auth/user/"]
    return {f"admin {path}": client.get(f"/admin/{path}").content for path in paths}


def objects(accounts_: list[ExchangeAccount]) -> dict[str, bytes | str]:
    """What a debugger, a log line or a copy would show of whatever holds the keys in memory."""
    found: dict[str, bytes | str] = {}
    for account in accounts_:
        account.refresh_from_db()
        credential = Credential.objects.get(account=account)
        config, client = accounts.config_for(account), accounts.client_for(account)
        for name, each in {"config": config, "client": client, "credential": credential, "sealed": credential.sealed}.items():
            where = f"{account.exchange} {name}"
            found |= {f"{where} repr": repr(each), f"{where} str": str(each), f"{where} format": f"{each}"}
            found[f"{where} vars"] = repr(getattr(each, "__dict__", ""))
            for how, made in (("pickle", pickle.dumps), ("deepcopy", lambda each: repr(copy.deepcopy(each)))):
                with contextlib.suppress(Exception):  # what cannot be copied gives nothing away
                    found[f"{where} {how}"] = made(each)
        found[f"{account.exchange} config as JSON"] = config.model_dump_json()
        found[f"{account.exchange} config as a dictionary"] = repr(config.model_dump())
    return found


def processes() -> dict[str, str]:
    """What the system tells everybody of a process, and its environment."""
    found = {"our own environment": repr(dict(os.environ))}
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            found[f"process {child.pid}"] = repr((child.cmdline(), child.environ(), child.name()))
    assert len(found) > 1
    return found


def test_each_form_would_be_found() -> None:
    """The net has no hole: a secret is found in whatever it is wrapped."""
    secret = "sandbox-CaNaRy0123456789abcdef"
    canary = Canary((secret,))
    assert len(forms_of(secret)) >= 10
    for number in range(5):
        for wrapped in (
            f"{'x' * number}{secret}",
            secret[::-1],
            secret.encode().hex(),
            orjson.dumps({"key": "x" * number + secret}).decode(),
            base64.b64encode(f"{'x' * number}{secret}yy".encode()).decode(),
            pickle.dumps({"a": secret}).decode("latin-1"),
        ):
            assert canary.found_in(f"before {wrapped} after"), wrapped
    assert not canary.found_in("sandbox-CaNaRx")
