"""What a page's navigation asks about the person who looks at it."""

from typing import Any

from django import template
from django.contrib.auth.models import User

from portfolio import access
from portfolio.models import Role

register = template.Library()


@register.simple_tag(takes_context=True)
def manages_a_portfolio(context: dict[str, Any]) -> bool:
    """Asks the database only where the page has not read its person's portfolios already."""
    user = context.get("user")
    if not isinstance(user, User):
        return False
    known = context.get("portfolios")
    return access.managed_portfolios_for(user).exists() if known is None else any(each.role == Role.MANAGER for each in known)
