"""Which portfolio a request is about: the one it names, else the only one that the caller is a member of."""

from django.http import HttpRequest

from dashboard.api.auth import caller_of
from portfolio import access
from portfolio.execution.refusals import NotFound, Refused


def portfolio_of(request: HttpRequest, named: int | None) -> int:
    """Its id. Raises NotFound for one that is missing or foreign, Refused where several are meant."""
    mine = access.portfolios_for(caller_of(request))
    if named is not None:
        mine = mine.filter(pk=named)
    ids = list(mine.values_list("id", flat=True)[:2])
    if not ids:
        raise NotFound("portfolio")
    if len(ids) > 1:
        raise Refused("ambiguous_portfolio", "portfolio must be named: you are a member of several portfolios", "portfolio")
    return ids[0]
