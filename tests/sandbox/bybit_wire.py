"""What a trader does, as Bybit is asked for it."""

import json
from collections.abc import Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from exchanges.sandbox.model import Leg, MarginMode, Venue
from tests.sandbox.bybit_venue import Client
from tests.sandbox.wires import PAGE_OVERLAP_MS, Held, Line, Money, Order, by_thousands

_INDEX = {Leg.NET: 0, Leg.LONG: 1, Leg.SHORT: 2}


@dataclass
class BybitWire:
    http: aiohttp.ClientSession
    url: str
    name: str
    venue: Venue = Venue.BYBIT
    _since_ms: int = 0

    def engine_symbol(self, symbol: str) -> str:
        return by_thousands(symbol)

    async def order(self, order: Order) -> bool:
        fields: dict[str, object] = {
            "symbol": by_thousands(order.symbol),
            "side": "Buy" if order.is_buy else "Sell",
            "orderType": "Limit" if order.price else "Market",
            "qty": format(order.quantity, "f"),
            "positionIdx": _INDEX[order.leg],
            "reduceOnly": order.reduce_only,
        }
        return await self._do("/v5/order/create", **fields, **({"price": format(order.price, "f")} if order.price else {}))

    async def close(self, held: Held) -> bool:
        side = "Sell" if held.quantity > 0 else "Buy"
        fields = {"symbol": held.symbol, "side": side, "orderType": "Market", "qty": f"{abs(held.quantity):f}", "reduceOnly": True}
        return await self._do("/v5/order/create", **fields, positionIdx=_INDEX[held.leg])

    async def cancel_all(self, symbol: str) -> bool:
        return await self._do("/v5/order/cancel-all", symbol=by_thousands(symbol))

    async def leverage(self, symbol: str, leverage: int) -> bool:
        return await self._do(
            "/v5/position/set-leverage", symbol=by_thousands(symbol), buyLeverage=str(leverage), sellLeverage=str(leverage)
        )

    async def margin(self, held: Held, amount: Decimal) -> bool:
        return await self._do("/v5/position/add-margin", symbol=held.symbol, margin=format(amount, "f"), positionIdx=_INDEX[held.leg])

    async def position_mode(self, hedge: bool) -> bool:
        return await self._do("/v5/position/switch-mode", coin="USDT", mode=3 if hedge else 0)

    async def margin_mode(self, symbol: str, mode: MarginMode) -> bool:
        return await self._do(
            "/v5/account/set-margin-mode", setMarginMode="ISOLATED_MARGIN" if mode is MarginMode.ISOLATED else "REGULAR_MARGIN"
        )

    async def money(self) -> Money:
        (account,) = (await self._get("/v5/account/wallet-balance", accountType="UNIFIED"))["list"]
        (row,) = account["coin"]
        wallet = Decimal(row["walletBalance"])
        return Money(wallet, Decimal(row["unrealisedPnl"]), Decimal(row["equity"]), wallet)

    async def positions(self) -> list[Held]:
        mode = MarginMode.ISOLATED if (await self._get("/v5/account/info"))["marginMode"] == "ISOLATED_MARGIN" else MarginMode.CROSS
        rows = (await self._get("/v5/position/list", category="linear", settleCoin="USDT", limit=200))["list"]
        legs = {number: leg for leg, number in _INDEX.items()}
        return [
            Held(
                row["symbol"],
                legs[row["positionIdx"]],
                mode,
                Decimal(row["size"]) * (1 if row["side"] == "Buy" else -1),
                Decimal(row["unrealisedPnl"]),
            )
            for row in rows
            if Decimal(row["size"])
        ]

    async def lines(self, seen: Set[str], *, now_ms: int) -> list[Line]:
        found: list[Line] = []
        asked: dict[str, object] = {"startTime": max(self._since_ms, now_ms - 6 * 86_400_000), "endTime": now_ms, "limit": 50}
        while True:
            page = await self._get("/v5/account/transaction-log", **asked)
            for row in page["list"]:
                assert Decimal(row["change"]) == Decimal(row["cashFlow"]) + Decimal(row["funding"] or 0) - Decimal(row["fee"]), row
                number = int(row["id"].rsplit("_", 1)[1])
                found.append(Line(row["id"], number, int(row["transactionTime"]), Decimal(row["change"]), Decimal(row["cashBalance"])))
            if len(page["list"]) < 50:
                self._since_ms = max((line.time_ms for line in found), default=now_ms) - PAGE_OVERLAP_MS
                return [line for line in found if line.id not in seen]
            asked["cursor"] = page["nextPageCursor"]

    async def _do(self, path: str, **fields: object) -> bool:
        code = (await self.send("POST", path, "", json.dumps({"category": "linear"} | fields)))["retCode"]
        assert code != 10016, (path, fields)  # the venue's word for a failure of its own
        return bool(code == 0)

    async def _get(self, path: str, **query: object) -> Any:
        answer = await self.send("GET", path, urlencode(query), "")
        assert answer["retCode"] == 0, (path, query, answer)
        return answer["result"]

    async def send(self, method: str, path: str, query: str, body: str) -> Any:
        headers = Client(self.url, self.name).signed_headers(query or body, {}) | {"Content-Type": "application/json"}
        address = f"{self.url}{path}?{query}" if query else f"{self.url}{path}"
        async with self.http.request(method, URL(address, encoded=True), data=body or None, headers=headers) as answer:
            assert answer.status == 200, (path, await answer.text())
            return await answer.json()
