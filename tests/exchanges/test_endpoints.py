"""Where requests go: a fixed list of hosts, and the sandbox's own address."""

from urllib.parse import urlsplit

import pytest

from exchanges.domain import Environment, ExchangeConfig, ExchangeType
from exchanges.endpoints import Endpoints, endpoints_for, regions_for
from exchanges.factory import get_exchange_client
from exchanges.venue import VenueRegistry

VENUE_DOMAINS = ("binance.com", "bybit.com", "bybit.eu", "okx.com")


@pytest.mark.parametrize("exchange", ExchangeType)
@pytest.mark.parametrize("environment", [Environment.LIVE, Environment.DEMO])
def test_every_endpoint_is_the_venues_own_host_over_tls(exchange: ExchangeType, environment: Environment) -> None:
    regions = regions_for(exchange, environment)
    assert "" in regions
    for region in regions:
        parts = urlsplit(endpoints_for(exchange, environment, region).rest)
        assert parts.scheme == "https"
        assert parts.hostname is not None
        assert parts.hostname.endswith(VENUE_DOMAINS)
        assert exchange.value in parts.hostname
        assert (parts.path, parts.query, parts.username) == ("", "", None)


def test_live_and_demo_are_told_apart_by_host_or_by_header() -> None:
    for exchange in ExchangeType:
        assert endpoints_for(exchange, Environment.LIVE) != endpoints_for(exchange, Environment.DEMO)
        assert not endpoints_for(exchange, Environment.LIVE).is_paper
    assert endpoints_for(ExchangeType.OKX, Environment.DEMO).is_paper


def test_each_region_of_okx_has_demo_trading_at_its_own_host() -> None:
    """A demo key is made in a region and known nowhere else."""
    regions = regions_for(ExchangeType.OKX, Environment.DEMO)
    assert regions == regions_for(ExchangeType.OKX, Environment.LIVE) == ["", "eea", "us"]
    for region in regions:
        demo, live = (endpoints_for(ExchangeType.OKX, each, region) for each in (Environment.DEMO, Environment.LIVE))
        assert (demo.rest, demo.is_paper, live.is_paper) == (live.rest, True, False)


@pytest.mark.parametrize("region", ["eu ", "EU", "http://evil.example", "../", "xx"])
def test_a_region_that_does_not_exist_is_refused(region: str) -> None:
    for exchange in ExchangeType:
        with pytest.raises(ValueError, match="region must be"):
            endpoints_for(exchange, Environment.LIVE, region)
        with pytest.raises(ValueError, match="region must be empty in the sandbox"):
            endpoints_for(exchange, Environment.SANDBOX, region)


def test_the_refusal_names_the_regions_there_are() -> None:
    with pytest.raises(ValueError, match=r"'', 'eea', 'us' for okx live, was 'moon'"):
        endpoints_for(ExchangeType.OKX, Environment.LIVE, "moon")


def test_the_sandbox_is_where_this_installation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:4321/")
    assert endpoints_for(ExchangeType.BYBIT, Environment.SANDBOX) == Endpoints("http://127.0.0.1:4321/bybit")
    monkeypatch.setenv("SANDBOX_URL", "")  # as the compose file hands on what is not given
    assert endpoints_for(ExchangeType.OKX, Environment.SANDBOX) == Endpoints("http://127.0.0.1:9100/okx")
    monkeypatch.delenv("SANDBOX_URL")
    assert endpoints_for(ExchangeType.OKX, Environment.SANDBOX) == Endpoints("http://127.0.0.1:9100/okx")


def config(exchange: ExchangeType, environment: Environment = Environment.DEMO, region: str = "") -> ExchangeConfig:
    secrets = {"api_key": "key-of-a-test", "api_secret": "s", "passphrase": "p"}
    return ExchangeConfig.model_validate({"exchange_type": exchange, "environment": environment, "region": region, **secrets})


@pytest.mark.parametrize("exchange", ExchangeType)
def test_a_client_is_built_without_a_loop_and_without_a_request(exchange: ExchangeType) -> None:
    assert get_exchange_client(config(exchange)).get_exchange_name() == exchange.value


def test_a_client_of_a_region_that_does_not_exist_is_not_built() -> None:
    with pytest.raises(ValueError, match="region must be one of"):
        get_exchange_client(config(ExchangeType.BINANCE, region="eu"))


def test_a_venue_is_shared_within_its_environment_and_region_alone() -> None:
    registry = VenueRegistry()
    demo = registry.venue(config(ExchangeType.OKX))
    assert registry.venue(config(ExchangeType.OKX)) is demo
    others = [
        registry.venue(config(ExchangeType.OKX, region="eea")),
        registry.venue(config(ExchangeType.OKX, Environment.LIVE)),
        registry.venue(config(ExchangeType.BYBIT)),
    ]
    assert len({id(venue) for venue in (demo, *others)}) == 4
    assert len({id(venue.clock) for venue in (demo, *others)}) == 4
    assert all(venue.transport is demo.transport for venue in others)
