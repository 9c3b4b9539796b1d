"""What is set at a venue counts here at once, in whichever process it is asked for next."""

import pytest

from exchanges.accounts import client_for
from exchanges.domain import PositionMode
from exchanges.models import Exchange, ExchangeAccount
from portfolio import rounds
from portfolio.execution import margin
from portfolio.models import AccountState
from tests.conftest import Cast

pytestmark = pytest.mark.postgresql


def as_another_process_reads(account: ExchangeAccount) -> ExchangeAccount:
    return ExchangeAccount.objects.select_related("credential").get(pk=account.pk)


@pytest.mark.parametrize("exchange", Exchange.values)
def test_a_change_of_position_mode_is_known_before_the_next_poll_and_by_every_process(book: Cast, exchange: str) -> None:
    account: ExchangeAccount = getattr(book, exchange)
    rounds.poll_holdings([account.pk])
    remembers = client_for(account)
    assert margin.set_position_mode(book.alice, account, PositionMode.HEDGE) is PositionMode.HEDGE
    assert AccountState.objects.get(account=account).position_mode == PositionMode.HEDGE
    # A client remembers the mode for a minute: the one that does must not be asked again.
    assert client_for(as_another_process_reads(account)) is not remembers
    rounds.poll_holdings([account.pk])
    assert AccountState.objects.get(account=account).position_mode == PositionMode.HEDGE
