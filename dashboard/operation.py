"""What this installation is told about how it is operated: its log, the proxy in front of it, who may read its figures.

Standard library only, and wrong values are refused as in dashboard/environment.py.
"""

import ipaddress
import os

from dashboard.environment import ConfigurationError, given_secret, words

SHORTEST_METRICS_TOKEN = 32
LOG_FORMATS = ("line", "json")
LOG_LEVELS = ("INFO", "DEBUG", "WARNING", "ERROR")
# A probe or a scraper comes by address: these answers depend on no host, and for the one that says most a token is asked.
FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
_LOOPBACK = "127.0.0.0/8,::1"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def check() -> None:
    """Before anything is started. Raises ConfigurationError for the first that is wrong."""
    log_format()
    log_level()
    trusted_proxies()
    metrics_token()


def service() -> str:
    """Which of the processes this one is: web, worker, beat or stream; "" for a command, and where nobody says."""
    return os.environ.get("SERVICE", "")


def log_format() -> str:
    """Lines for people, or JSON for machines."""
    return _one_of("LOG_FORMAT", LOG_FORMATS)


def log_level() -> str:
    return _one_of("LOG_LEVEL", LOG_LEVELS)


def trusted_proxies() -> list[Network]:
    """Where the proxy's connections come from: what it says of the person behind it (X-Forwarded-*) is believed of nobody else."""
    networks = []
    for text in words("TRUSTED_PROXIES", _LOOPBACK):
        try:
            networks.append(ipaddress.ip_network(text))
        except ValueError as error:
            raise ConfigurationError(
                f"TRUSTED_PROXIES must be addresses or networks separated by commas, such as 10.0.0.0/24; one was {text!r}."
            ) from error
    return networks


def metrics_token() -> str:
    """Whoever sends it may read /metrics; "" where nobody may."""
    given = given_secret("METRICS_TOKEN")
    if given and (len(given) < SHORTEST_METRICS_TOKEN or not given.isascii()):
        raise ConfigurationError(f"METRICS_TOKEN must have at least {SHORTEST_METRICS_TOKEN} ASCII characters, had {len(given)}.")
    return given


def _one_of(name: str, choices: tuple[str, ...]) -> str:
    """The first is the default; upper and lower case are alike."""
    text = os.environ.get(name, "").strip().lower()
    for choice in choices:
        if text in ("", choice.lower()):
            return choice
    raise ConfigurationError(f"{name} must be one of {', '.join(choices)}, was {text!r}.")
