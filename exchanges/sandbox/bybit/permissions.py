"""What the calling key may do ("Get API Key Information", read November 2026). A key that is bound to no address lists "*" and ends 90 days
after it was made; one that is bound never does, which the venue writes as the year 1970 and the day -2. One that only reads lists what it
reads, with readOnly 1."""

from datetime import UTC, datetime, timedelta

from exchanges.sandbox.bybit.account import user_id
from exchanges.sandbox.bybit.serving import Call, Reply
from exchanges.sandbox.keys import BOUND_TO, rights_of

UNBOUND_KEY_LASTS = timedelta(days=90)
_NEVER = datetime.fromtimestamp(0, UTC)
_NOT_GRANTED = ("Spot", "Options", "CopyTrading", "BlockTrade", "Exchange", "NFT", "Affiliate", "Earn")


def query_api(call: Call) -> Reply:
    rights = rights_of(call.name)
    now = datetime.fromtimestamp(call.wall_ms // 1_000, UTC)
    made = min(datetime.fromtimestamp(call.account.opened_ms // 1_000, UTC), now)
    ends = _NEVER if rights.is_ip_bound else now + UNBOUND_KEY_LASTS  # one that is in use here is renewed in time
    return Reply(
        {
            "id": user_id(call),
            "note": call.name,
            "apiKey": f"sandbox-{call.name}",
            "readOnly": 0 if rights.can_trade else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"],
                "Wallet": ["Withdraw"] if rights.can_withdraw else [],
                "Derivatives": ["DerivativesTrade"],
                **{name: [] for name in _NOT_GRANTED},
            },
            "ips": [BOUND_TO] if rights.is_ip_bound else ["*"],
            "type": 1,
            "deadlineDay": -2 if rights.is_ip_bound else UNBOUND_KEY_LASTS.days,
            "expiredAt": _in_wire_form(ends),
            "createdAt": _in_wire_form(made),
            "unified": 0,
            "uta": 1,
            "userID": int(user_id(call)),
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        },
        message="",
    )


def _in_wire_form(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
