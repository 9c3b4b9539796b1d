"""Routing rules as a YAML file with the key symbol_exchange_mapping: `import` it, `export` what is there, or `diff` what an import would
change (exit 1 where it would). Exact rules are replaced as a whole, patterns are set one by one. A wrong file changes nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchanges.routing import RuleTerms, WrongRules, policy, rules
from exchanges.routing.rules import Author, Change, Door, RuleChanged

EXIT_DIFFERENT = 1
EXIT_WRONG = 2


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=("import", "export", "diff"))
        parser.add_argument("file", help="the YAML file; export also takes - for standard output")

    def handle(self, *_args: Any, what: str, file: str, **_options: Any) -> None:
        if what == "export":
            self._export(file)
            return
        mapping = _read(file)
        changes = rules.plan(mapping) if what == "diff" else _apply(file, mapping)
        for change in changes:
            self.stdout.write(policy.words_of(change))
        if what == "import":
            self.stdout.write(f"{len(changes)} of the rules changed." if changes else "Nothing to change.")
        elif changes:
            raise SystemExit(EXIT_DIFFERENT)

    def _export(self, file: str) -> None:
        text = policy.write_policy(rules.present())
        if file == "-":
            self.stdout.write(text, ending="")
            return
        try:
            Path(file).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be written ({error.strerror}).", returncode=EXIT_WRONG) from error


def _read(file: str) -> dict[str, RuleTerms]:
    try:
        return policy.read_file(Path(file))
    except WrongRules as error:
        raise _wrong(file, error) from error


def _apply(file: str, mapping: Mapping[str, RuleTerms]) -> list[Change]:
    try:
        return rules.apply(mapping, by=Author(door=Door.COMMAND))
    except RuleChanged as error:
        raise CommandError(f"{error} Import again.") from error
    except WrongRules as error:
        raise _wrong(file, error) from error


def _wrong(file: str, error: WrongRules) -> CommandError:
    return CommandError(f"{file} is wrong, nothing was changed: {error}", returncode=EXIT_WRONG)
