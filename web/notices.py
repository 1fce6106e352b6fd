"""Notices of the layers below, each as a line on standard error."""

from __future__ import annotations

import logging

import click

from index.notices import NOTICES


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def show_notices() -> None:
    """From now on notices are shown; called again it changes nothing."""
    NOTICES.setLevel(logging.INFO)
    NOTICES.propagate = False
    NOTICES.handlers = [_Lines()]
