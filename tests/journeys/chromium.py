"""Where Chromium is, and what a page of it complained about. Without one the browser tests are skipped with the reason, never silently."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALL_DEADLINE_S = 300
# htmx 2.0.11 calls it an error when a request gives way to a newer one, which is what the ticket's facts are told to do. A request that
# fails says "htmx:sendError" or "htmx:responseError" beside these.
_GAVE_WAY = ("htmx:sendAbort", "htmx:afterRequest")
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.effectiveDirective} refused ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`));
"""


def executable() -> str:
    """Skips the test where there is no Chromium and none may be installed."""
    found = _find()
    if found:
        return found
    reason = _install()
    found = _find()
    if not found:
        pytest.skip(f"BROWSER TESTS SKIPPED: no Chromium found (CHROMIUM, {', '.join(_NAMES)}) and {reason}")
    return found


def _find() -> str:
    named = os.environ.get("CHROMIUM", "")
    if named:
        assert os.access(named, os.X_OK), f"CHROMIUM must name a program, was {named!r}"
        return named
    return next((path for name in _NAMES if (path := shutil.which(name))), "")


def _install() -> str:
    """Debian's own package, once for all test processes. Returns why that did not help, should it not have."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "this user may not install one (that takes root and apt-get)"
    with (Path(tempfile.gettempdir()) / "crossbook-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _find():
            return ""
        for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]):
            try:
                environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_INSTALL_DEADLINE_S, check=False)
            except subprocess.TimeoutExpired:
                return f"{' '.join(command)} took longer than {_INSTALL_DEADLINE_S} s"
            if done.returncode != 0:
                lines = done.stderr.strip().splitlines()
                return f"{' '.join(command)} failed: {lines[-1] if lines else done.returncode}"
    return "apt-get installed none"


@contextmanager
def running_browser() -> Iterator[Browser]:
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


class Complaints(list[str]):
    """Errors and warnings of the console, uncaught exceptions, and breaches of the content security policy."""

    def watch(self, page: Page) -> None:
        page.add_init_script(_REPORT_VIOLATIONS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_GAVE_WAY):
            self.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


@contextmanager
def opened(
    browser: Browser, *, width: int = 1440, height: int = 900, java_script: bool = True
) -> Iterator[tuple[BrowserContext, Complaints]]:
    """A browser context of its own; whatever its pages complain about is collected."""
    context = browser.new_context(viewport={"width": width, "height": height}, java_script_enabled=java_script)
    complaints = Complaints()
    context.on("page", complaints.watch)
    try:
        yield context, complaints
    finally:
        context.close()
