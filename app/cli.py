"""The operator's command line: `serve` here, every other command in `app.commands`, which is loaded when one is asked for.

The process behind `serve` lives as long as the house and keeps nothing but the others; it needs neither the time nor the
memory that the application takes.
"""

from __future__ import annotations

import gc
import os
import sys

import click

from app import supervisor
from app.command_line import load_settings


class Doors(click.Group):
    """A group whose other commands are found where they lie."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_others().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _others().get_command(ctx, cmd_name)


def _others() -> click.Group:
    # What is loaded stays: looking for rubbish among it takes a tenth of the time most commands need.
    gc.set_threshold(100_000, 20, 100)
    from app import commands  # noqa: PLC0415  # nearly the whole application, which `serve` loads elsewhere

    return commands.main


@click.group(cls=Doors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scriptorium")
def main() -> None:
    """Operate Scriptorium.  The instance is the one whose state lies in SCRIPTORIUM_STATE (default: var)."""


@main.command()
def serve() -> None:
    """Serve until SIGTERM or SIGINT; settings come from SCRIPTORIUM_* variables, secrets from Vault."""
    sys.exit(supervisor.serve(load_settings(os.environ)))


if __name__ == "__main__":
    main()
