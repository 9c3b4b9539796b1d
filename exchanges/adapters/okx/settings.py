"""What an OKX account is set to, and how that is changed. The configuration is asked for once a minute: a request for it with every poll
would double the polls."""

import time
from collections.abc import Callable

from exchanges.adapters.okx import margin
from exchanges.adapters.okx.client import OkxClient
from exchanges.adapters.okx.errors import EXCHANGE
from exchanges.adapters.okx.mapping import AccountConfig, to_account_config
from exchanges.adapters.okx.wire import answered
from exchanges.domain import Instrument, MarginMode, PositionMode, PositionSide
from exchanges.errors import BadParameter

REMEMBERED_S = 60.0


class AccountSettings:
    def __init__(self, client: OkxClient, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._config: AccountConfig | None = None
        self._config_at = 0.0

    async def config(self) -> AccountConfig:
        if self._config is None or self._monotonic() - self._config_at > REMEMBERED_S:
            self._config = answered(to_account_config, await self._client.get_account_config())
            self._config_at = self._monotonic()
        return self._config

    async def set_leverage(
        self, instrument: Instrument, leverage: int, margin_mode: MarginMode | None, position_side: PositionSide | None
    ) -> bool:
        """OKX keeps a leverage for each margin mode, and for each leg of isolated margin in hedge mode."""
        if leverage < 1:
            raise BadParameter(f"leverage must be at least 1, was {leverage}", exchange=EXCHANGE, field="leverage")
        mode = margin_mode or MarginMode.CROSS
        position_mode = PositionMode.ONE_WAY if mode is MarginMode.CROSS else (await self.config()).position_mode
        answers = [
            await self._client.set_leverage(lever=str(leverage), mgnMode=mode.value, instId=instrument.venue_symbol, posSide=leg)
            for leg in margin.legs_to_set(mode, position_mode, position_side)
        ]
        return all(answered(margin.to_leverage, rows, instrument.venue_symbol) == leverage for rows in answers)

    async def set_position_mode(self, mode: PositionMode) -> bool:
        try:
            rows = await self._client.set_position_mode(posMode=margin.POSITION_MODES_TO_WIRE[mode])
        finally:
            self._config = None
        return answered(margin.to_position_mode, rows) is mode
