"""What a trader does, as OKX is asked for it: sizes in contracts, the margin mode with every order."""

from collections.abc import Set
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import aiohttp

from exchanges.sandbox.model import ZERO, Leg, MarginMode, Venue
from tests.sandbox.okx_venue import Client
from tests.sandbox.wires import Held, Line, Money, Order

_CONTRACTS = {"BTC-USDT-SWAP": "0.01", "ETH-USDT-SWAP": "0.1", "ADA-USDT-SWAP": "100", "PEPE-USDT-SWAP": "10000000"}


@dataclass
class OkxWire:
    http: aiohttp.ClientSession
    url: str
    name: str
    venue: Venue = Venue.OKX

    def engine_symbol(self, symbol: str) -> str:
        return f"{symbol}USDT"

    async def order(self, order: Order) -> bool:
        instrument = f"{order.symbol}-USDT-SWAP"
        fields = {
            "instId": instrument,
            "tdMode": order.margin_mode.value,
            "side": "buy" if order.is_buy else "sell",
            "ordType": "limit" if order.price else "market",
            "sz": format((order.quantity / Decimal(_CONTRACTS[instrument])).normalize(), "f"),
            "posSide": order.leg.value,
            "reduceOnly": order.reduce_only,
        }
        return await self._do("/api/v5/trade/order", fields | ({"px": format(order.price, "f")} if order.price else {}))

    async def close(self, held: Held) -> bool:
        return await self._do(
            "/api/v5/trade/close-position",
            {"instId": _instrument(held.symbol), "mgnMode": held.margin_mode.value, "posSide": held.leg.value},
        )

    async def cancel_all(self, symbol: str) -> bool:
        instrument = f"{symbol}-USDT-SWAP"
        rows = await self._get("/api/v5/trade/orders-pending", instId=instrument)
        batch = [{"instId": instrument, "ordId": row["ordId"]} for row in rows[:20]]
        return not batch or await self._do("/api/v5/trade/cancel-batch-orders", batch)

    async def leverage(self, symbol: str, leverage: int) -> bool:
        body = {"instId": f"{symbol}-USDT-SWAP", "lever": str(leverage), "mgnMode": "cross"}
        config = (await self._get("/api/v5/account/config"))[0]
        isolated = [{"posSide": side} for side in ("long", "short")] if config["posMode"] == "long_short_mode" else [{}]
        done = [await self._do("/api/v5/account/set-leverage", body)]
        done += [await self._do("/api/v5/account/set-leverage", body | {"mgnMode": "isolated"} | side) for side in isolated]
        return all(done)

    async def margin(self, held: Held, amount: Decimal) -> bool:
        kind = "add" if amount > 0 else "reduce"
        body = {"instId": _instrument(held.symbol), "posSide": held.leg.value, "type": kind, "amt": f"{abs(amount):f}"}
        return await self._do("/api/v5/account/position/margin-balance", body)

    async def position_mode(self, hedge: bool) -> bool:
        return await self._do("/api/v5/account/set-position-mode", {"posMode": "long_short_mode" if hedge else "net_mode"})

    async def margin_mode(self, symbol: str, mode: MarginMode) -> bool:
        """Every order names its own here."""
        return True

    async def money(self) -> Money:
        (account,) = await self._get("/api/v5/account/balance")
        (row,) = account["details"]
        cash, isolated = Decimal(row["cashBal"]), Decimal(row["isoEq"]) - Decimal(row["isoUpl"])
        return Money(cash + isolated, Decimal(row["upl"]), Decimal(row["eq"]), cash)

    async def positions(self) -> list[Held]:
        rows = await self._get("/api/v5/account/positions")
        return [_okx_held(row) for row in rows if Decimal(row["pos"])]

    async def lines(self, seen: Set[str], *, now_ms: int) -> list[Line]:
        found: list[Line] = []
        asked: dict[str, object] = {"limit": 100}
        while True:
            rows = await self._get("/api/v5/account/bills-archive", **asked)
            fresh = [row for row in rows if row["billId"] not in seen]
            for row in fresh:
                change = Decimal(row["balChg"]) + Decimal(row["posBalChg"])
                found.append(Line(row["billId"], int(row["billId"]), int(row["ts"]), change, Decimal(row["bal"])))
            if len(fresh) < 100:
                return found
            asked["after"] = rows[-1]["billId"]

    @property
    def client(self) -> Client:
        return Client(self.http, self.url, self.name)

    async def _do(self, path: str, body: object) -> bool:
        answer = await self.client.post(path, body)
        assert answer.status < 500, (path, body, answer.body)
        assert answer.code not in ("50000", "50026"), (path, body, answer.body)
        return answer.code == "0"

    async def _get(self, path: str, **query: object) -> list[Any]:
        answer = await self.client.get(path, **query)
        assert answer.code == "0", (path, query, answer.body)
        return answer.data


def _instrument(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}-USDT-SWAP"


def _okx_held(row: dict[str, str]) -> Held:
    """The position of a short leg is told without a sign."""
    leg, size = Leg(row["posSide"]), Decimal(row["pos"]) * Decimal(_CONTRACTS[row["instId"]])
    symbol = row["instId"].replace("-", "").removesuffix("SWAP")
    return Held(symbol, leg, MarginMode(row["mgnMode"]), -size if leg is Leg.SHORT else size, Decimal(row["upl"] or ZERO))
