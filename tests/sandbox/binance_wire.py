"""What a trader does, as Binance is asked for it."""

from collections.abc import Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from exchanges.sandbox.model import Leg, MarginMode, Venue
from tests.sandbox.binance_venue import Client, Clock
from tests.sandbox.wires import PAGE_OVERLAP_MS, Held, Line, Money, Order, by_thousands


@dataclass
class BinanceWire:
    http: aiohttp.ClientSession
    url: str
    name: str
    venue: Venue = Venue.BINANCE
    _since_ms: int = 0

    def engine_symbol(self, symbol: str) -> str:
        return by_thousands(symbol)

    async def order(self, order: Order) -> bool:
        fields: dict[str, object] = {
            "symbol": by_thousands(order.symbol),
            "side": "BUY" if order.is_buy else "SELL",
            "type": "LIMIT" if order.price else "MARKET",
            "quantity": format(order.quantity, "f"),
        }
        if order.price:
            fields |= {"price": format(order.price, "f"), "timeInForce": "GTC"}
        if order.leg is not Leg.NET:
            fields["positionSide"] = order.leg.upper()
        elif order.reduce_only:
            fields["reduceOnly"] = "true"
        return await self._do("POST", "/fapi/v1/order", **fields)

    async def close(self, held: Held) -> bool:
        fields = {
            "symbol": held.symbol,
            "side": "SELL" if held.quantity > 0 else "BUY",
            "type": "MARKET",
            "quantity": f"{abs(held.quantity):f}",
        }
        side = {"reduceOnly": "true"} if held.leg is Leg.NET else {"positionSide": held.leg.upper()}
        return await self._do("POST", "/fapi/v1/order", **fields, **side)

    async def cancel_all(self, symbol: str) -> bool:
        return await self._do("DELETE", "/fapi/v1/allOpenOrders", symbol=by_thousands(symbol))

    async def leverage(self, symbol: str, leverage: int) -> bool:
        return await self._do("POST", "/fapi/v1/leverage", symbol=by_thousands(symbol), leverage=leverage)

    async def margin(self, held: Held, amount: Decimal) -> bool:
        leg = "BOTH" if held.leg is Leg.NET else held.leg.upper()
        fields = {"symbol": held.symbol, "positionSide": leg, "amount": f"{abs(amount):f}", "type": 1 if amount > 0 else 2}
        return await self._do("POST", "/fapi/v1/positionMargin", **fields)

    async def position_mode(self, hedge: bool) -> bool:
        return await self._do("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true" if hedge else "false")

    async def margin_mode(self, symbol: str, mode: MarginMode) -> bool:
        named = "ISOLATED" if mode is MarginMode.ISOLATED else "CROSSED"
        return await self._do("POST", "/fapi/v1/marginType", symbol=by_thousands(symbol), marginType=named)

    async def money(self) -> Money:
        row = await self._get("/fapi/v3/account")
        wallet = Decimal(row["totalWalletBalance"])
        return Money(wallet, Decimal(row["totalUnrealizedProfit"]), Decimal(row["totalMarginBalance"]), wallet)

    async def positions(self) -> list[Held]:
        rows = [row for row in await self._get("/fapi/v2/positionRisk") if Decimal(row["positionAmt"])]
        return [
            Held(
                row["symbol"],
                Leg.NET if row["positionSide"] == "BOTH" else Leg(row["positionSide"].lower()),
                MarginMode.ISOLATED if row["marginType"] == "isolated" else MarginMode.CROSS,
                Decimal(row["positionAmt"]),
                Decimal(row["unRealizedProfit"]),
            )
            for row in rows
        ]

    async def lines(self, seen: Set[str], *, now_ms: int) -> list[Line]:
        found: list[Line] = []
        number = 0
        start_ms = max(self._since_ms, now_ms - 6 * 86_400_000)
        while True:
            number += 1
            rows = await self._get("/fapi/v1/income", startTime=start_ms, endTime=now_ms, limit=50, page=number)
            found += [Line(f"{row['tranId']}", row["tranId"], row["time"], Decimal(row["income"]), None) for row in rows]
            if len(rows) < 50:
                self._since_ms = max((line.time_ms for line in found), default=start_ms) - PAGE_OVERLAP_MS
                return [line for line in found if line.id not in seen]

    @property
    def client(self) -> Client:
        return Client(self.http, self.url, Clock(), self.name)

    async def _do(self, method: str, path: str, **fields: object) -> bool:
        answer = await self.client.signed(method, path, **fields)
        assert answer.status < 500, (path, fields, answer.body)
        return answer.status == 200

    async def _get(self, path: str, **fields: object) -> Any:
        answer = await self.client.get(path, **fields)
        assert answer.status == 200, (path, fields, answer.body)
        return answer.body
