"""Rules that every template and every file of ours keeps, so that the strict policy holds and no page needs another host."""

import re
from pathlib import Path

import pytest
from django.template.loader import get_template

from dashboard import environment

TEMPLATES = sorted((environment.ROOT / "templates").rglob("*.html"))
OWN_STATIC = sorted(
    path
    for path in (environment.ROOT / "static").rglob("*")
    if path.suffix in (".js", ".css", ".svg") and "vendor" not in path.relative_to(environment.ROOT / "static").parts
)


def named(path: Path) -> str:
    return str(path.relative_to(environment.ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_has_no_inline_script_no_inline_style_and_no_other_host(path: Path) -> None:
    text = path.read_text()
    without_source = [tag for tag in re.findall(r"<script\b[^>]*>", text) if not re.search(r"\ssrc=", tag)]
    assert not without_source
    for pattern in (
        r"<style\b",
        r"\sstyle\s*=",
        r"<[^>]*\son[a-z]+\s*=",
        r"\shx-on",
        r"javascript:",
        r"hx-vals='js:",
        r"(?:src|href|action|hx-\w+)=[\"'](?:https?:)?//",
        r"\|\s*safe\b",
        r"autoescape off",
        r"mark_safe",
    ):
        assert not re.search(pattern, text, re.I), pattern


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_can_be_read(path: Path) -> None:
    get_template(str(path.relative_to(environment.ROOT / "templates")))


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_whatever_htmx_does_a_browser_without_it_can_do_too(path: Path) -> None:
    """A button or link that fetches has an address, a form that posts has an action."""
    for tag in re.findall(r"<(?:a|form)\b[^>]*>", path.read_text()):
        if "hx-get=" in tag:
            assert "href=" in tag, tag
        if "hx-post=" in tag:
            assert "action=" in tag, tag


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_form_that_posts_carries_its_csrf_token(path: Path) -> None:
    for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.S):
        assert "{% csrf_token %}" in form, form[:120]


@pytest.mark.parametrize("path", OWN_STATIC, ids=named)
def test_no_file_of_ours_names_another_host_or_evaluates_text(path: Path) -> None:
    text = path.read_text().replace("http://www.w3.org/2000/svg", "")
    for pattern in (r"https?://", r"url\(\s*[\"']?(?:https?:)?//", r"\beval\(", r"new Function\(", r"innerHTML\s*=", r"insertAdjacentHTML"):
        assert not re.search(pattern, text), pattern


def test_there_is_something_to_look_at() -> None:
    assert len(TEMPLATES) > 20
    assert len(OWN_STATIC) > 20


def test_htmx_evaluates_nothing_and_asks_nobody_else() -> None:
    home = (environment.ROOT / "templates/pages/home.html").read_text()
    for setting in (
        '"allowEval": false',
        '"allowScriptTags": false',
        '"includeIndicatorStyles": false',
        '"selfRequestsOnly": true',
        '"historyCacheSize": 0',
    ):
        assert setting in home, setting
