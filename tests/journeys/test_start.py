"""Starting and stopping, as a person at a terminal meets it: what is in the way is one line that says what to do, what was there before is
there again, and nothing keeps running. The tests build on each other, in this order."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.journeys.crossbook import Crossbook, eventually, every

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
    for used in (link, crossbook.login_link):
        again = httpx.get(used, follow_redirects=True)
        assert again.status_code == 410, "signing in and setting a password void every link made before"
        assert "This link no longer works" in again.text


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
    assert [crossbook.left_over() for crossbook in (without_key, damaged, unopenable)] == [[], [], []]


def refusal(crossbook: Crossbook) -> str:
    """What a start that is refused says: one line, and exit code 1."""
    done = crossbook.refused_start()
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
