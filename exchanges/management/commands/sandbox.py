"""`manage.py sandbox`: starts the simulated venues. It needs neither the database nor anything else of the site."""

import argparse
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from exchanges.sandbox.server import add_arguments, serve


class Command(BaseCommand):
    help = "Serves three simulated venues until it is stopped."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        add_arguments(parser)
        parser.set_defaults(var_dir=settings.VAR_DIR / "sandbox")

    def handle(self, **options: Any) -> None:
        sys.exit(serve(**{name: options[name] for name in ("host", "port", "seed", "var_dir", "control", "speed")}))
