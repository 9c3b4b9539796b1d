"""Two clicks in a real browser on a form that shows its answer once: one request, one token, and the page that shows it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from portfolio.models import ApiToken, Role
from tests.dashboard import rows
from tests.journeys.chromium import opened
from tests.security.conftest import fresh_client
from tests.security.site import running_site

# A little later than the first, as a hand does it: within one task of the browser it makes one request of two by itself.
_TWO_CLICKS = "(button) => { button.click(); setTimeout(() => button.click(), 15); }"


@pytest.fixture(scope="module", autouse=True)
def _beside_the_browsers_loop() -> Iterator[None]:
    """Playwright keeps a loop in this thread, which Django takes for a coroutine's; nothing runs in it while the database is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


def test_a_second_click_makes_no_second_request(transactional_db: None, browser: Browser, tmp_path: Path) -> None:
    alice = rows.person("alice")
    rows.portfolio("Alice's book", {alice: Role.VIEWER})
    client = fresh_client()
    client.force_login(alice)
    posts: list[str] = []
    with running_site(tmp_path) as port, opened(browser) as (context, complaints):
        site = f"http://127.0.0.1:{port}"
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site}])
        page = context.new_page()
        page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
        page.goto(f"{site}/settings")
        page.get_by_label("Name").fill("bot")
        page.get_by_role("button", name="Make the token").evaluate(_TWO_CLICKS)
        expect(page.locator("code.secret")).to_contain_text("cbk_")
        assert (len(posts), ApiToken.objects.count(), complaints) == (1, 1, [])
