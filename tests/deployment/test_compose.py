"""docker-compose.yml: what it says, and what it starts, with two web and two worker processes on a real PostgreSQL and Valkey."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from psycopg import sql

from dashboard import valkey
from tests.deployment.composed import ROOT, Composed
from tests.isolation import free_port
from tests.journeys.crossbook import eventually

HOST = "book.example.com"
SIMULATED = {"SANDBOX_URL": "http://sandbox:9100"}
ORDER = {"exchange": "okx", "symbol": "ETHUSDT", "side": "BUY", "order_type": "LIMIT", "quantity": "0.1", "price": "100"}
NAMES = ("prepare", "web", "worker", "beat", "stream", "postgres", "valkey", "sandbox")


@dataclass(frozen=True, slots=True)
class Site:
    """`webs` are the addresses of its web processes; `secrets` is the directory of its secrets."""

    composed: Composed
    webs: list[str]
    secrets: Path
    token: str

    def client(self, number: int) -> httpx.Client:
        """As the proxy asks for somebody."""
        headers = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7", "Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"{self.webs[number]}/api/v1", headers=headers, timeout=20)

    def lines(self) -> Iterator[dict[str, object]]:
        for service in ("web", "worker"):
            for number in (1, 2):
                for line in self.composed.log(service, number).read_text().splitlines():
                    if line.startswith("{"):
                        yield json.loads(line)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgresql_url: str) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("composed")
    secrets = directory / "secrets"
    subprocess.run([str(ROOT / "run"), "secrets", str(secrets)], check=True)
    database = _make_database(postgresql_url, (secrets / "database_password").read_text().strip())
    ports = {name: str(free_port()) for name in ("valkey", "sandbox", "web-1", "web-2")}
    here = {
        "crossbook@postgres:5432/crossbook": database,
        "valkey:6379": f"127.0.0.1:{ports['valkey']}",
        "sandbox:9100": f"127.0.0.1:{ports['sandbox']}",
        "/run/secrets": str(secrets),
        "/var/lib/crossbook": str(directory / "sandbox"),
        "172.30.99.1": "127.0.0.1",
        "0.0.0.0": "127.0.0.1",  # noqa: S104  (what is replaced)
    }
    composed = Composed(directory, {"ALLOWED_HOSTS": HOST, "LOG_LEVEL": "DEBUG", **SIMULATED}, here)
    try:
        composed.start("valkey", {"valkey-server": valkey.binary(), "6379": ports["valkey"]})
        composed.start("sandbox", {"9100": ports["sandbox"]})
        assert composed.start("prepare").wait(60) == 0, composed.log("prepare").read_text()
        for number in (1, 2):
            composed.start("web", {"8000": ports[f"web-{number}"]}, number=number)
            composed.start("worker", number=number)
        composed.start("beat")
        composed.start("stream")
        webs = [f"http://127.0.0.1:{ports[f'web-{number}']}" for number in (1, 2)]
        made = composed.run("web", ["python", "manage.py", "create_api_token", "--user", "admin", "--name", "t", "--scopes", "read,trade"])
        assert made.returncode == 0, made.stderr
        eventually(lambda: all(map(_is_ready, webs)), within_s=40, what="both web processes ready")
        yield Site(composed, webs, secrets, made.stdout.strip())
    finally:
        composed.stop()


def test_it_names_every_service_with_its_care() -> None:
    composed = Composed(ROOT, {}, {})
    assert set(composed.services) == set(NAMES)
    assert composed.ours() == {"prepare", "web", "worker", "beat", "stream", "sandbox"}
    for name, service in composed.services.items():
        assert service["restart"] == ("no" if name == "prepare" else "unless-stopped"), name
        assert ":" in service["image"], name
        assert not service["image"].endswith(":latest"), name
        if name in composed.ours():
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
    for name in ("web", "worker", "postgres", "valkey", "sandbox"):
        assert composed.services[name]["healthcheck"]["test"], name
    published = {name: service["ports"] for name, service in composed.services.items() if "ports" in service}
    assert list(published) == ["web"]
    assert all(port.startswith("127.0.0.1:") for port in published["web"])
    assert [name for name in NAMES if composed.services[name].get("profiles")] == ["sandbox"]
    scaled = [composed.services[name] for name in ("web", "worker")]
    assert all("container_name" not in service for service in scaled)


def test_only_who_asks_for_simulated_exchanges_is_given_a_demo() -> None:
    """Else a production would begin with accounts at exchanges that nobody started."""
    production = {"ALLOWED_HOSTS": HOST}
    for service in ("prepare", "web", "worker", "beat", "stream"):
        assert Composed(ROOT, production, {}).environment(service)["SANDBOX_URL"] == "", service
        assert Composed(ROOT, production | SIMULATED, {}).environment(service)["SANDBOX_URL"] == "http://sandbox:9100", service
    head = (ROOT / "docker-compose.yml").read_text().partition("\nname:")[0]
    assert f"SANDBOX_URL={SIMULATED['SANDBOX_URL']} docker compose --profile sandbox up" in head


def test_no_secret_is_written_into_it_or_into_the_image() -> None:
    composed = Composed(ROOT, {}, {})
    for service in composed.services.values():
        for name, value in service.get("environment", {}).items():
            if any(word in name for word in ("PASSWORD", "SECRET", "KEY", "TOKEN")):
                assert name.endswith("_FILE"), name
                assert str(value).startswith("/run/secrets/"), name
    allowed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert allowed[0] == "*", "what is not named does not get into the image"
    assert not {"!var", "!run", "!.git", "!tests"} & set(allowed)
    image = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in image
    assert image.rindex("USER 10001") < image.rindex("CMD")


def test_an_order_placed_at_one_web_process_is_seen_and_canceled_through_the_other(site: Site) -> None:
    with site.client(0) as one, site.client(1) as other:
        eventually(lambda: other.get("/exposure").json().get("complete"), within_s=30, what="positions polled by the workers")
        placed = one.post("/orders", json=ORDER, headers={"Idempotency-Key": "composed", "X-Request-ID": "composed-order-1"})
        assert placed.status_code == 201, placed.text
        assert placed.headers["X-Request-ID"] == "composed-order-1"
        order = placed.json()
        assert other.get(f"/orders/{order['id']}").json()["client_order_id"] == order["client_order_id"]
        again = other.post("/orders", json=ORDER, headers={"Idempotency-Key": "composed"})
        assert (again.status_code, again.json()["id"]) == (201, order["id"])
        canceled = other.delete(f"/orders/{order['id']}")
        assert (canceled.status_code, canceled.json()["state"]) == (200, "CANCELED")
        assert one.get(f"/orders/{order['id']}").json()["state"] == "CANCELED"
        assert one.get("/positions").json()["count"] > 0


def test_every_web_process_tells_the_figures_of_all_processes(site: Site) -> None:
    headers = {"Authorization": f"Bearer {(site.secrets / 'metrics_token').read_text().strip()}"}

    def are_all_there() -> bool:
        text = httpx.get(f"{site.webs[1]}/metrics", headers=headers).text
        lines = [line for line in text.splitlines() if line.startswith("process_cpu_seconds_total")]
        counts = {name: sum(f'service="{name}"' in line for line in lines) for name in ("web", "worker", "beat", "stream")}
        return counts == {"web": 2, "worker": 2, "beat": 1, "stream": 1}

    eventually(are_all_there, within_s=60, what="the counts of two web, two worker, one beat and one stream process")
    assert httpx.get(f"{site.webs[0]}/metrics").status_code == 401


def test_what_compose_asks_for_their_health_says_that_they_are_well(site: Site) -> None:
    assert site.composed.is_healthy("web", {"127.0.0.1:8000": urlsplit(site.webs[0]).netloc})
    assert not site.composed.is_healthy("web", {"127.0.0.1:8000": f"127.0.0.1:{free_port()}"})
    assert site.composed.is_healthy("worker")


def test_the_log_is_json_follows_a_request_to_the_venue_and_holds_no_secret(site: Site) -> None:
    lines = list(site.lines())
    caused = [line for line in lines if line.get("request_id") == "composed-order-1"]
    assert {line["event"] for line in caused} >= {"request_started", "venue_call", "request_finished"}
    calls = [line for line in caused if line["event"] == "venue_call"]
    assert {"exchange", "method", "path", "status", "ms"} <= set(calls[0])
    polls = [line for line in lines if line["event"] == "venue_call" and line["service"] == "worker"]
    assert polls, "the workers log their calls"
    assert all(line.get("task_id") for line in polls)
    everything = "".join(path.read_text() for path in site.composed.log("web").parent.glob("*.log"))
    known = [path.read_text().strip() for path in site.secrets.iterdir()] + [site.token, "sandbox-demo", "signature=", "/login/"]
    assert [secret for secret in known if secret in everything] == []
    assert "Traceback" not in everything


def _is_ready(web: str) -> bool:
    try:
        return httpx.get(f"{web}/readyz", timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def _make_database(server: str, password: str) -> str:
    """As the image of PostgreSQL does. Returns user@host:port/name."""
    name = f"crossbook_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name)))
    return f"{name}@{urlsplit(server).hostname}:{urlsplit(server).port}/{name}"
