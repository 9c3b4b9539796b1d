"""The page for developers about a crash: what exchanges holds of keys at that moment is not on it."""

from typing import Any

import pytest
from django.test import RequestFactory
from django.views.debug import ExceptionReporter
from pydantic import SecretStr

from exchanges.domain import Environment, ExchangeType
from exchanges.transport import Transport
from portfolio import key_check
from portfolio.key_check import Keys
from tests.simulated import Sandbox

SECRETS = ("sandbox-of-the-report", "sandbox-of-the-report-secret", "sandbox-of-the-report-passphrase")


@pytest.mark.django_db
def test_a_defect_beneath_a_signed_request_shows_no_key(sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    send = Transport._send

    async def defective(self: Transport, call: Any, headers: Any, *others: Any) -> Any:
        if headers and "OK-ACCESS-KEY" in headers:
            raise RuntimeError("a defect")
        return await send(self, call, headers, *others)

    monkeypatch.setattr(Transport, "_send", defective)
    with pytest.raises(RuntimeError) as crash:
        key_check.try_keys(ExchangeType.OKX, Environment.SANDBOX, "", Keys(*map(SecretStr, SECRETS)))
    reporter = ExceptionReporter(RequestFactory().get("/"), RuntimeError, crash.value, crash.value.__traceback__)
    frames = [frame for frame in reporter.get_traceback_frames() if frame["filename"] != __file__]  # this test holds the keys in any case
    assert any(frame["function"] == "request" for frame in frames)
    assert [(frame["function"], name) for frame in frames for name, value in frame["vars"] for key in SECRETS if key in str(value)] == []
