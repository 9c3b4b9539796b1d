"""What the calling key may do, as the venue's wallet host tells it ("Get API Key Permission", read November 2026)."""

from exchanges.sandbox.binance.endpoint import Call, Json, Private
from exchanges.sandbox.keys import rights_of
from exchanges.sandbox.model import Account


def api_restrictions(call: Call, account: Account) -> Json:
    rights = rights_of(call.key_name)
    return {
        "ipRestrict": rights.is_ip_bound,
        "createTime": account.opened_ms,
        "enableInternalTransfer": False,
        "enableFutures": rights.can_trade,
        "enablePortfolioMarginTrading": False,
        "enableVanillaOptions": False,
        "permitsUniversalTransfer": False,
        "enableReading": True,
        "enableSpotAndMarginTrading": False,
        "enableWithdrawals": rights.can_withdraw,
        "enableMargin": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


ENDPOINTS = (Private("GET", "/sapi/v1/account/apiRestrictions", api_restrictions),)
