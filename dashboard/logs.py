"""How a log event is written: one line for people or one JSON object for machines, with the id of the request that caused it. What looks
like a secret is blacked out and nothing foreign can end a line or move the cursor (S48, S84); better still, neither is logged at all.

Knows what secrets look like in the text of requests and errors, and those of this installation by heart.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import structlog
from structlog.types import EventDict, Processor

BLACKED_OUT = "***"
LONGEST_TEXT = 16_000
_SHORTEST_KNOWN_SECRET, _LONGEST_KNOWN_SECRET = 8, 1_000
# How names of secrets end, at the exchanges, in HTTP, in Django and here.
_TELLTALE = (
    r"(?:(?:api|secret|private|vault|listen)[-_]?key|access[-_]key|secret|passphrase|password|passwd|signature|(?:\b|[-_])sign"
    r"|authorization|cookie|token|session_?(?:id|key)|credential)s?"
)
# Between a name and its value: name=value, "name": "value", also in JSON within JSON; and a pair, as lists of headers have them.
_BETWEEN = r"(?:\\?[\"']?\s*[:=]|\\?[\"']\s*,)\s*"
# To the quote that closes it, whatever it holds (a passphrase may have blanks and commas), also as bytes or as another object's repr.
_QUOTED = r"(?:[a-z_]{1,20}\(|b)?(\\?[\"'])(?:(?!\2)(?:\\.|[^\n]))*"
_PLAIN = r"[^\s\"'&,;)}\]]+"
_SECRET_NAME = re.compile(rf"(?i){_TELLTALE}$")
_PATTERNS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(rf"(?i)\b((?:set-)?cookie{_BETWEEN})[^\n]+"), rf"\1{BLACKED_OUT}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {BLACKED_OUT}"),
    (re.compile(r"(?i)\b(authorization: *)[^\s\"',*]+ [^\s\"',]+"), rf"\1{BLACKED_OUT}"),  # any other scheme, as it is written in a header
    (re.compile(rf"(?i)({_TELLTALE}{_BETWEEN})(?!\\?[\"']?\*\*\*)(?:{_QUOTED}|{_PLAIN})"), rf"\1\2{BLACKED_OUT}"),
    (re.compile(r"(\w://[^\s/@:]*:)[^\s/@]+(?=@)"), rf"\1{BLACKED_OUT}"),
    (re.compile(r"(/login/)[^\s/]+/[^\s/?\"']+"), rf"\1{BLACKED_OUT}"),
    (re.compile(r"\b(cbk_[0-9a-f]{8}_)[\w-]{16,}"), rf"\1{BLACKED_OUT}"),
)
# Whatever moves a terminal's cursor, ends a line or turns the direction of reading.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_FIRST = ("timestamp", "level", "logger", "event", "exception", "service")


def configuration(*, log_format: str, level: str, service: str, secrets: Iterable[str]) -> dict[str, Any]:
    """What LOGGING has to be, and structlog set up alike. A person's log says what went wrong; a machine's also each request."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    written: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        Named(service),
        Inert(secrets),
        as_json if log_format == "json" else as_line,
    ]
    requests = level if log_format == "json" or level == "DEBUG" else "ERROR"
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*shared, structlog.stdlib.ExtraAdder()],
        "processors": written,
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {name: {"level": least} for name, least in _LEAST.items()} | {"django_structlog": {"level": requests}},
    }


# Libraries that say too much, or what django_structlog says already (failed requests and tasks, with their traceback).
_LEAST = {
    "aiohttp": "WARNING",
    "amqp": "WARNING",
    "asyncio": "WARNING",
    "axes": "WARNING",
    "celery": "WARNING",
    "celery.app.trace": "CRITICAL",
    "daphne": "WARNING",
    "django.channels.server": "WARNING",
    "django.db.backends": "WARNING",  # the parameters of queries are nobody's business
    "django.request": "CRITICAL",
    "django_celery_beat": "WARNING",
    "httpx": "WARNING",
    "kombu": "WARNING",
    "urllib3": "WARNING",
    "websockets": "WARNING",
}


class Named:
    """Says which service an event is from."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        return {**event, "service": self._service} if self._service else event


class Inert:
    """Makes every value of an event safe to read: nothing secret in it, nothing that ends the line. A traceback keeps its line breaks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_KNOWN_SECRET}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: Any, _method: str, event: EventDict) -> EventDict:
        exception = event.pop("exception", None)
        inert: EventDict = {_escaped(name): self._of(name, value) for name, value in event.items()}
        if exception is not None:
            inert["exception"] = "\n".join(_escaped(line) for line in self.redacted(str(exception)).split("\n"))
        return inert

    def redacted(self, text: str) -> str:
        is_cut, text = len(text) > LONGEST_TEXT, text[: LONGEST_TEXT + _LONGEST_KNOWN_SECRET]
        if self._known is not None:  # before the cut, which may go through one
            text = self._known.sub(BLACKED_OUT, text)
        if is_cut:
            text = f"{text[:LONGEST_TEXT]}..."
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def _of(self, name: str, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if _SECRET_NAME.search(name):
            return BLACKED_OUT
        if isinstance(value, dict):
            return {_escaped(str(key)): self._of(str(key), item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._of("", item) for item in value]
        return _escaped(self.redacted(str(value)))


def as_json(_logger: Any, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str).decode()


def as_line(_logger: Any, _method: str, event: EventDict) -> str:
    """Time, level, logger and what happened, then the rest as name=value; below it a traceback, which cannot be taken for another line."""
    facts = [f"{name}={_quoted(value)}" for name, value in event.items() if name not in _LINE_FIRST and value not in (None, "")]
    time = str(event["timestamp"])[:23].replace("T", " ").replace(".", ",")
    line = " ".join([time, f"{str(event['level']).upper():<7}", f"{event['logger']}:", str(event["event"]), *facts])
    exception = event.get("exception")
    return line if exception is None else line + "".join(f"\n    | {part}" for part in str(exception).split("\n"))


def _quoted(value: Any) -> str:
    text = str(value)
    return text if text and " " not in text and '"' not in text else orjson.dumps(text).decode()


def _escaped(text: str) -> str:
    return _UNPRINTABLE.sub(_as_escape, text)


def _as_escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return {9: "\\t", 10: "\\n", 13: "\\r"}.get(code) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
