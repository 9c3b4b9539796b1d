"""Starting and stopping, as a person at a terminal meets it: what is in the way is one line that says what to do, what was there before is
there again, and nothing keeps running. The tests build on each other, in this order."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest

from tests.journeys.crossbook import ROOT, Crossbook, eventually, every

PASSWORD = "correct horse battery staple"
STOPPED_S = 5.0
ORDER = {"exchange": "bybit", "symbol": "LTCUSDT", "side": "BUY", "order_type": "MARKET", "quantity": "0.5"}


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Crossbook]:
    """Another installation, not started."""
    other = Crossbook(tmp_path / "second")
    yield other
    other.end()


@pytest.fixture(scope="module")
def rest(crossbook: Crossbook) -> Iterator[httpx.Client]:
    with crossbook.rest("start") as client:
        yield client


def test_a_printed_link_works_once(crossbook: Crossbook) -> None:
    link = crossbook.manage("login_link")
    assert urlsplit(link).port == crossbook.port
    with httpx.Client(follow_redirects=True) as visitor:
        assert visitor.get(link).url.path == "/password"
        page = visitor.get(f"{crossbook.url}/password")
        fields = {"new_password1": PASSWORD, "new_password2": PASSWORD, "csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
        assert "Set a password" in page.text
        assert visitor.post(f"{crossbook.url}/password", data=fields).url.path == "/"
    with closing(sqlite3.connect(crossbook.var_dir / "crossbook.sqlite3")) as database:
        [(kept,)] = database.execute("SELECT password FROM auth_user WHERE username = 'admin'")
    assert kept.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$"), "as costly to guess as it is meant to be"
    for used in (link, crossbook.login_link):
        again = httpx.get(used, follow_redirects=True)
        assert again.status_code == 410, "signing in and setting a password void every link made before"
        assert "This link no longer works" in again.text


def test_a_command_beside_the_site_needs_no_port(crossbook: Crossbook) -> None:
    variables = {name: value for name, value in crossbook.environment.items() if name != "PORT"}
    command = [sys.executable, "manage.py", "login_link"]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith(f"{crossbook.url}/login/")


def test_all_that_it_keeps_is_for_its_user_alone(crossbook: Crossbook) -> None:
    kept = [crossbook.var_dir, *crossbook.var_dir.rglob("*")]
    assert {"crossbook.sqlite3", "lock", "address", "ledger.jsonl"} <= {path.name for path in kept}
    assert [path for path in kept if path.stat().st_mode & 0o077] == []


def test_a_malformed_form_is_refused_as_everything_else_is(rest: httpx.Client) -> None:
    answer = rest.post("orders", content=b"no part of a form", headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_whoever_says_anything_else_on_the_live_socket_is_shown_out(crossbook: Crossbook) -> None:
    site = crossbook.url.rstrip("/")
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        await (await browser.get(crossbook.manage("login_link"))).read()
        async with browser.ws_connect(f"{site}/ws/portfolio/1/?v=1", origin=site) as socket:
            assert (await socket.receive_json(timeout=5))["type"] == "hello"
            await socket.send_str("subscribe")
            async with asyncio.timeout(5):
                said = [message.type async for message in socket]
            assert (socket.close_code, set(said) <= {aiohttp.WSMsgType.TEXT}) == (4400, True)


def test_two_installations_live_side_by_side(crossbook: Crossbook, second: Crossbook, rest: httpx.Client) -> None:
    second.start()
    assert second.sandbox_url != crossbook.sandbox_url
    with second.rest("start") as there:
        for client in (rest, there):
            wait_until_complete(client)
        order = rest.post("/orders", json=ORDER).json()
        assert order["state"] == "FILLED"
        assert order["client_order_id"] not in {row["client_order_id"] for row in every(there, "/orders")}
        foreign = there.get("/orders", headers={"Authorization": rest.headers["Authorization"]})
        assert foreign.status_code == 401
    took_s = second.stop(signal.SIGINT)
    assert took_s < STOPPED_S
    assert second.left_over() == []
    assert rest.get("/health").status_code == 200


def test_a_site_behind_a_proxy_starts_quietly_and_is_whole_there(tmp_path: Path) -> None:
    proxied = Crossbook(tmp_path / "proxied", HTTPS="1", ALLOWED_HOSTS="book.example.com,.example.net")
    try:
        proxied.start()
        assert "Traceback" not in proxied.log
        assert "Invalid HTTP_HOST" not in proxied.log
        assert proxied.login_link.startswith("https://book.example.com/login/")
        forwarded = {"Host": "book.example.com", "X-Forwarded-Proto": "https"}
        path = urlsplit(proxied.login_link).path
        assert httpx.get(f"{proxied.url}{path}").status_code == 400
        plain = httpx.get(f"{proxied.url}{path}", headers={"Host": "book.example.com"})
        assert (plain.status_code, plain.headers["Location"]) == (301, proxied.login_link)
        there = httpx.get(f"{proxied.url}{path}", headers=forwarded)
        assert (there.status_code, there.headers["Location"]) == (302, "/password")
        cookies = there.headers.get_list("Set-Cookie")
        assert all("Secure" in cookie for cookie in cookies)
        (session,) = (cookie for cookie in cookies if cookie.startswith("__Host-sessionid="))
        assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in session.split(";")}
        assert "Domain" not in session
    finally:
        proxied.end()


def test_ctrl_c_during_the_start_leaves_nothing(second: Crossbook) -> None:
    second.launch()
    eventually(lambda: "sandbox listening" in second.log, within_s=30, what="the first processes running")
    assert second.stop(signal.SIGINT) < STOPPED_S
    assert second.left_over() == []
    assert "Traceback" not in second.log


def test_a_used_port_is_named(crossbook: Crossbook, tmp_path: Path) -> None:
    said = refusal(Crossbook(tmp_path / "var", port=crossbook.port))
    assert said == f"Port {crossbook.port} is in use; stop what listens there or set PORT to another one."


def test_a_used_state_directory_is_named(crossbook: Crossbook) -> None:
    said = refusal(Crossbook(crossbook.var_dir))
    assert said == f"Crossbook already runs on {crossbook.var_dir}; stop it first or set VAR_DIR to another directory."


def test_a_second_start_goes_on_from_the_first(crossbook: Crossbook, rest: httpx.Client) -> None:
    orders, held = by_client_id(rest), positions(rest)
    assert ("bybit", "LTCUSDT") in held
    assert crossbook.stop() < STOPPED_S
    assert crossbook.left_over() == []
    crossbook.start()
    wait_until_complete(rest)
    assert by_client_id(rest).items() >= orders.items()
    assert positions(rest) == held
    with httpx.Client(base_url=crossbook.url, follow_redirects=True) as visitor:
        visitor.get("/login")
        fields = {"username": "admin", "password": PASSWORD, "csrfmiddlewaretoken": visitor.cookies["csrftoken"]}
        assert visitor.post("/login", data=fields).url.path == "/"


def test_what_keeps_the_state_from_being_used_is_named(crossbook: Crossbook, tmp_path: Path) -> None:
    crossbook.stop()
    without_key = Crossbook(tmp_path / "without-key")
    shutil.copytree(crossbook.var_dir, without_key.var_dir)
    (without_key.var_dir / "vault.key").unlink()
    assert refusal(without_key) == "The vault key is missing: restore VAR_DIR/vault.key from your backup or set VAULT_KEYS."
    assert not (without_key.var_dir / "vault.key").exists(), "a new key would hide that the old one is lost"

    damaged = Crossbook(tmp_path / "damaged")
    shutil.copytree(crossbook.var_dir, damaged.var_dir)
    database = damaged.var_dir / "crossbook.sqlite3"
    database.write_bytes(b"not a database, whatever its name says\n" * 200)
    said = refusal(damaged)
    assert said == f"the database {database} cannot be used (file is not a database); restore it or set VAR_DIR."

    unopenable = Crossbook(tmp_path / "unopenable")
    (unopenable.var_dir / "crossbook.sqlite3").mkdir(parents=True)
    assert "cannot be used (unable to open database file)" in refusal(unopenable)

    unreadable = Crossbook(tmp_path / "unreadable")
    unreadable.var_dir.mkdir()
    (unreadable.var_dir / "vault.key").write_bytes(b"\xff" * 40)
    assert refusal(unreadable).startswith(f"{unreadable.var_dir / 'vault.key'} is damaged (it is not text); restore it from your backup")

    without_venues = Crossbook(tmp_path / "without-venues")
    shutil.copytree(crossbook.var_dir, without_venues.var_dir)
    ledger = without_venues.var_dir / "sandbox" / "ledger.jsonl"
    ledger.write_bytes(b"not a ledger")
    done = without_venues.refused_start()
    said = sentence_of(done)
    assert said == f"sandbox ended 3 times: sandbox ledger {ledger} is damaged at line 1; move it away to start afresh"
    assert ledger.read_bytes() == b"not a ledger"
    assert "     web |" not in done.stdout, "nothing was started that cannot do without"
    refused = (without_key, damaged, unopenable, unreadable, without_venues)
    assert [crossbook.left_over() for crossbook in refused] == [[]] * 5


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing is installed yet, and which asks for nothing; no `uv` is on the PATH of what runs there."""
    directory, tools = tmp_path / "clone", tmp_path / "tools"
    for made in (directory, tools):
        made.mkdir()
    shutil.copy(ROOT / "run", directory)
    (directory / "requirements.txt").write_text("# nothing\n")
    (directory / "manage.py").write_text("print('managed')\n")
    for name in ("sh", "cat", "cksum", "basename", "dirname", "ln", "rm", "readlink", "sleep", "mkdir", "rmdir"):
        found = shutil.which(name)
        assert found
        (tools / name).symlink_to(found)
    return directory


def run_in(clone: Path) -> "subprocess.Popen[str]":
    variables = {**os.environ, "PATH": str(clone.parent / "tools"), "PYTHON_BIN": sys.executable}
    return subprocess.Popen(["./run", "manage"], cwd=clone, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


# As the real one it makes no environment where there is one; it takes its time, and counts its calls.
UV = """#!/bin/sh
echo "$1" >>calls
if [ "$1" = venv ]; then
    [ ! -e .venv ] || { echo "A virtual environment already exists" >&2; exit 2; }
    mkdir .venv .venv/bin
    sleep 1
    ln -s "$PYTHON_BIN" .venv/bin/python
fi
"""


def test_first_starts_at_once_install_once(clone: Path) -> None:
    uv = clone.parent / "tools" / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    starts = [run_in(clone) for _ in range(3)]
    said = [start.communicate(timeout=60) for start in starts]
    assert [start.returncode for start in starts] == [0, 0, 0], said
    assert [output for output, _ in said] == ["managed\n"] * 3
    assert (clone / "calls").read_text().split() == ["venv", "pip"]
    assert not (clone / ".venv.lock").is_symlink()


def test_an_install_that_was_killed_or_failed_does_not_keep_the_next_from_it(clone: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    (clone / ".venv.lock").symlink_to(str(gone.pid))
    uv = clone.parent / "tools" / "uv"
    uv.write_text("#!/bin/sh\nexit 3\n")
    uv.chmod(0o755)
    with run_in(clone) as failed:
        failed.communicate(timeout=60)
    assert failed.returncode == 3
    uv.write_text(UV)
    with run_in(clone) as start:
        assert start.communicate(timeout=60)[0] == "managed\n"


def test_an_environment_that_uv_made_serves_without_uv(clone: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", ".venv"], cwd=clone, check=True)
    with run_in(clone) as start:
        output, errors = start.communicate(timeout=120)
    assert (start.returncode, output) == (0, "managed\n"), errors


def refusal(crossbook: Crossbook) -> str:
    """What a start that is refused says: one line, and exit code 1."""
    return sentence_of(crossbook.refused_start())


def sentence_of(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode == 1
    assert done.stderr.startswith("Crossbook cannot start: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Crossbook is ready" not in done.stdout
    return done.stderr.removeprefix("Crossbook cannot start: ").rstrip("\n")


def wait_until_complete(rest: httpx.Client) -> None:
    eventually(lambda: rest.get("/exposure").json()["complete"], within_s=30, what="a complete book")


def by_client_id(rest: httpx.Client) -> dict[str, tuple[str, str]]:
    return {row["client_order_id"]: (row["state"], row["filled_quantity"]) for row in every(rest, "/orders")}


def positions(rest: httpx.Client) -> dict[tuple[str, str], tuple[str, str]]:
    return {(row["exchange"], row["symbol"]): (row["side"], row["quantity"]) for row in every(rest, "/positions")}
