#!/usr/bin/env python
"""Crossbook's management commands."""

import os
import sys

from django.core.management import execute_from_command_line

from dashboard import environment

if __name__ == "__main__":
    environment.keep_private()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    try:
        execute_from_command_line(sys.argv)
    except environment.ConfigurationError as error:
        sys.exit(str(error))
