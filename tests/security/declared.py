"""Who is let in where: one line for each way into the site, to be read and judged by a person. What is not here must not exist.

`nobody` is not signed in; `viewer`, `trader` and `manager` are members of the book that the line is about; the `stranger` is manager of a
book of their own; the `super`user and the `staff` member, who holds every permission there is, are members of no book; `closed` was the
book's trader until the account was closed. `read`, `trade` and `admin` are tokens of the manager with that scope alone.
`absent` is what a member gets in place of an object of another book, and in place of one that does not exist: always the same.

  in     served, or (where a venue would have to be asked) refused for want of keys and nothing else
  own    served, with what belongs to the caller's own book in it
  login  sent to the page that signs people in
  no     403: you may not
  -      does not come into question
  401, 404, 410, 422 as they are
"""

from dataclasses import dataclass

PEOPLE = ("nobody", "viewer", "trader", "manager", "stranger", "super", "staff", "closed")
TOKENS = ("read", "trade", "admin")

PAGES = """
# path                                     method nobody viewer trader manager stranger super staff closed absent
/                                          GET    login  in     in     in      own      in    in    login  -
/panel/<slug:name>                         GET    login  in     in     in      own      404   404   login  -
/ticket/preview                            POST   login  no     in     in      422      no    no    login  -
/orders/new                                POST   login  no     in     in      422      no    no    login  -
/orders/<int:order_id>/cancel              POST   login  no     in     in      404      404   404   login  404
/positions/<int:position_id>/close         GET    login  no     in     in      404      404   404   login  404
/positions/<int:position_id>/close         POST   login  no     in     in      404      404   404   login  404
/login                                     GET    in     in     in     in      in       in    in    in     -
/login                                     POST   in     in     in     in      in       in    in    in     -
/login/<str:uid>/<str:token>               GET    410    410    410    410     410      410   410   410    -
/logout                                    POST   in     in     in     in      in       in    in    in     -
/password                                  GET    login  in     in     in      in       in    in    login  -
/password                                  POST   login  422    422    422     422      422   422   login  -
/settings                                  GET    login  in     in     in      in       in    in    login  -
/settings/tokens                           POST   login  in     in     in      in       in    in    login  -
/settings/tokens/<int:token_id>/revoke     POST   login  in     in     in      in       in    in    login  404
/settings/sessions/end-others              POST   login  in     in     in      in       in    in    login  -
/settings/sessions/<slug:handle>/end       POST   login  in     in     in      in       in    in    login  in
/members                                   GET    login  no     no     in      own      no    no    login  -
/members/add                               POST   login  no     no     in      404      404   404   login  -
/members/<int:membership_id>/role          POST   login  no     no     in      404      404   404   login  404
/members/<int:membership_id>/remove        POST   login  no     no     in      404      404   404   login  404
/accounts                                  GET    login  in     in     in      own      in    in    login  -
/accounts/new                              GET    login  no     no     in      own      no    no    login  -
/accounts/new                              POST   login  no     no     422     422      no    no    login  -
/accounts/<int:account_id>                 GET    login  in     in     in      404      404   404   login  404
/accounts/<int:account_id>/margin          GET    login  in     in     in      404      404   404   login  404
/accounts/<int:account_id>/margin          POST   login  no     in     in      404      404   404   login  404
/accounts/<int:account_id>/keys            POST   login  no     no     422     404      404   404   login  404
/accounts/<int:account_id>/switch          POST   login  no     no     in      404      404   404   login  404
/accounts/<int:account_id>/rename          POST   login  no     no     in      404      404   404   login  404
/accounts/<int:account_id>/archive         POST   login  no     no     in      404      404   404   login  404
/routing                                   GET    login  in     in     in      in       in    in    login  -
/routing/new                               GET    login  no     no     no      no       in    in    login  -
/routing/new                               POST   login  no     no     no      no       422   422   login  -
/routing/import                            GET    login  no     no     no      no       in    in    login  -
/routing/import                            POST   login  no     no     no      no       422   422   login  -
/routing/export                            GET    login  in     in     in      in       in    in    login  -
/routing/history                           GET    login  in     in     in      in       in    in    login  -
/routing/<int:rule_id>                     GET    login  no     no     no      no       in    in    login  -
/routing/<int:rule_id>                     POST   login  no     no     no      no       422   422   login  -
/routing/<int:rule_id>/switch              POST   login  no     no     no      no       in    in    login  -
/routing/<int:rule_id>/delete              GET    login  no     no     no      no       in    in    login  -
/routing/<int:rule_id>/delete              POST   login  no     no     no      no       in    in    login  -
/healthz                                   GET    in     in     in     in      in       in    in    in     -
/readyz                                    GET    in     in     in     in      in       in    in    in     -
/metrics                                   GET    404    404    404    404     404      404   404   404    -
/api/v1/                                   GET    404    404    404    404     404      404   404   404    -
/api/v1/openapi.json                       GET    401    in     in     in      in       in    in    401    -
/api/v1/docs                               GET    login  in     in     in      in       in    in    login  -
"""

REST = """
# path under /api/v1                 method nobody viewer trader manager stranger super staff closed read trade admin absent
/health                              GET    in     in     in     in      in       in    in    in     in   in    in    -
/accounts                            GET    401    in     in     in      own      in    in    401    in   in    in    -
/accounts                            POST   401    no     no     in      404      404   404   401    no   no    in    -
/accounts/test                       POST   401    no     no     in      404      404   404   401    no   no    in    -
/accounts/{account_id}/disable       POST   401    no     no     in      404      404   404   401    no   no    in    404
/accounts/{account_id}/enable        POST   401    no     no     in      404      404   404   401    no   no    in    404
/accounts/{account_id}/leverage      PUT    401    no     in     in      404      404   404   401    no   in    no    404
/accounts/{account_id}/margin-mode   PUT    401    no     in     in      404      404   404   401    no   in    no    404
/exchanges                           GET    401    in     in     in      own      in    in    401    in   in    in    -
/positions                           GET    401    in     in     in      own      in    in    401    in   in    in    -
/positions/{position_id}/close       POST   401    no     in     in      404      404   404   401    no   in    no    404
/balances                            GET    401    in     in     in      own      in    in    401    in   in    in    -
/exposure                            GET    401    in     in     in      own      404   404   401    in   in    in    -
/equity                              GET    401    in     in     in      own      404   404   401    in   in    in    -
/instruments                         GET    401    in     in     in      own      in    in    401    in   in    in    -
/orders                              GET    401    in     in     in      own      in    in    401    in   in    in    -
/orders                              POST   401    no     in     in      422      422   422   401    no   in    no    -
/orders/{order_id}                   GET    401    in     in     in      404      404   404   401    in   in    in    404
/orders/{order_id}                   DELETE 401    no     in     in      404      404   404   401    no   in    no    404
/klines                              GET    401    in     in     in      in       422   422   401    in   in    in    -
/orderbook                           GET    401    in     in     in      in       422   422   401    in   in    in    -
/tickers                             GET    401    in     in     in      in       422   422   401    in   in    in    -
/funding                             GET    401    in     in     in      in       422   422   401    in   in    in    -
/exchanges/routing                   GET    401    in     in     in      in       in    in    401    in   in    in    -
/exchanges/routing/resolve           GET    401    in     in     in      own      404   404   401    in   in    in    -
/exchanges/routing/{symbol}          PUT    401    no     no     no      no       422   422   401    no   no    no    -
/exchanges/routing/{symbol}          DELETE 401    no     no     no      no       in    in    401    no   no    no    -
"""

# Everybody else is sent to sign in.
ADMIN = """
# path under /admin                          method super staff
/                                            GET    in    in
/<app_label>/                                GET    in    in
/login/                                      GET    no    no
/logout/                                     POST   in    in
/password_change/                            GET    in    in
/password_change/done/                       GET    in    in
/autocomplete/                               GET    no    no
/jsi18n/                                     GET    in    in
/r/<path:content_type_id>/<path:object_id>/  GET    404   404
/auth/user/<id>/password/                    GET    in    no
"""

# Rows are those of the book, of which the staff member is no member: what they may not see answers as what does not exist. History is
# read and never written; accounts and rules are changed where that is checked and kept, in the page.
ADMIN_MODELS = """
# model                               super: list add change history delete  staff: list add change history delete
/auth/group                                  in   in  in     in      in             no   no  no     no      no
/auth/user                                   in   in  in     in      in             no   no  no     no      no
/django_celery_beat/periodictask             in   in  in     in      in             no   no  no     no      no
/django_celery_beat/clockedschedule          in   in  in     in      in             no   no  no     no      no
/django_celery_beat/crontabschedule          in   in  in     in      in             no   no  no     no      no
/django_celery_beat/solarschedule            in   in  in     in      in             no   no  no     no      no
/django_celery_beat/intervalschedule         in   in  in     in      in             no   no  no     no      no
/exchanges/exchangeaccount                   in   no  in     in      no             in   no  404    404     no
/exchanges/instrument                        in   no  in     in      no             no   no  no     no      no
/exchanges/routingrule                       in   in  in     in      in             in   in  in     in      in
/portfolio/portfolio                         in   in  in     in      in             in   no  404    404     no
/portfolio/order                             in   no  in     in      no             in   no  404    404     no
/portfolio/apitoken                          in   no  in     in      no             in   no  404    404     no
"""

SOCKETS = """
# path                           nobody viewer trader manager stranger super staff closed
/ws/portfolio/<int:portfolio_id>/  no   in     in     in      no       no    no    no
"""


@dataclass(frozen=True, slots=True)
class Line:
    """`answers` by role and scope; `absent` is "-" where the path names nothing that somebody owns."""

    path: str
    method: str
    answers: dict[str, str]
    absent: str = "-"


def lines_of(table: str, roles: tuple[str, ...], *, has_absent: bool = True, has_method: bool = True) -> list[Line]:
    found = []
    for text in table.strip().splitlines():
        if text.startswith("#"):
            continue
        path, *words = text.split()
        method = words.pop(0) if has_method else "GET"
        absent = words.pop() if has_absent else "-"
        assert len(words) == len(roles), text
        found.append(Line(path, method, dict(zip(roles, words, strict=True)), absent))
    return found


def model_lines(table: str) -> list[Line]:
    """Five lines for each model: what is done to its rows in the admin."""
    doings = ("", "add/", "<object_id>/change/", "<object_id>/history/", "<object_id>/delete/")
    found = []
    for text in table.strip().splitlines():
        if text.startswith("#"):
            continue
        path, *words = text.split()
        assert len(words) == 2 * len(doings), text
        for number, doing in enumerate(doings):
            answers = {"super": words[number], "staff": words[number + len(doings)]}
            found.append(Line(f"{path}/{doing}", "GET", answers))
    return found


PAGE_LINES = lines_of(PAGES, PEOPLE)
REST_LINES = lines_of(REST, PEOPLE + TOKENS)
ADMIN_LINES = [*lines_of(ADMIN, ("super", "staff"), has_absent=False), *model_lines(ADMIN_MODELS)]
SOCKET_LINES = lines_of(SOCKETS, PEOPLE, has_absent=False, has_method=False)
