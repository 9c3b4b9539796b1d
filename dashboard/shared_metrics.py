"""One answer for all processes: each leaves what it has counted in Valkey every few seconds, under its name and for a short time, and
whichever web process is asked puts them together. A figure that is lost with Valkey is counted on from where its process is."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import orjson
from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from dashboard import operation
from dashboard.book_metrics import BookCollector

PERIOD_S = 5.0
KEPT_S = 30
ANSWER_WITHIN_S = 1.0
_PREFIX = "crossbook:metrics:"
_OURS = ("crossbook_", "process_")

logger = logging.getLogger(__name__)


def valkey() -> Redis:
    """Answers soon or not at all."""
    no_retry = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=ANSWER_WITHIN_S, socket_timeout=ANSWER_WITHIN_S, retry=no_retry)


def share_from_now_on() -> None:
    """In a thread of its own, for as long as the process lives. It begins a period later: a command beside a service, which is told the
    same name, has ended by then."""
    threading.Thread(target=_share_for_ever, name="metrics", daemon=True).start()


def share(client: Redis, service: str) -> None:
    """Leave what this process has counted so far. Raises RedisError."""
    families = [
        {
            "name": family.name,
            "type": family.type,
            "help": family.documentation,
            "samples": [sample[:3] for sample in family.samples if not sample.name.endswith("_created")],
        }
        for family in REGISTRY.collect()
        if family.name.startswith(_OURS)
    ]
    client.set(f"{_PREFIX}{service}:{socket.gethostname()}:{os.getpid()}", orjson.dumps(families), ex=KEPT_S)


def exposition() -> bytes:
    """Everything, in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(BookCollector())
    registry.register(SharedCollector())
    return generate_latest(registry)


class SharedCollector(Collector):
    """The counts of every process that lives, each with the name of its service and its process."""

    def collect(self) -> Iterator[Metric]:
        reachable = GaugeMetricFamily("crossbook_valkey_reachable", "1 while the counts of all processes can be read.")
        found: dict[str, Metric] = {}
        try:
            with valkey() as client:
                keys = sorted(client.scan_iter(match=f"{_PREFIX}*", count=1_000))
                contents = client.mget(keys) if keys else []
        except RedisError:
            reachable.add_metric([], 0)
        else:
            reachable.add_metric([], 1)
            for key, content in zip(keys, contents, strict=True):
                if content is not None:
                    _merge(found, key.decode(), orjson.loads(content))
        yield reachable
        yield from found.values()


def _merge(found: dict[str, Metric], key: str, families: list[dict[str, Any]]) -> None:
    service, host, process = key.removeprefix(_PREFIX).rsplit(":", 2)
    who = {"service": service, "process": f"{host}:{process}"}
    for family in families:
        metric = found.setdefault(family["name"], Metric(family["name"], family["help"], family["type"]))
        metric.samples += [Sample(name, {**labels, **who}, value) for name, labels, value in family["samples"]]


def _share_for_ever() -> None:
    client, service = valkey(), operation.service()
    while True:
        time.sleep(PERIOD_S)
        try:
            share(client, service)
        except RedisError as error:
            logger.debug("the counts of this process were not shared: %s", type(error).__name__)
