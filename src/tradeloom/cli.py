"""The `tradeloom` command: parses arguments, then calls the room that does the work.

A sub-command imports its room inside its function, so that `tradeloom --help` stays instant.
"""

from __future__ import annotations

from typing import Annotated

import typer

from tradeloom import __version__

app = typer.Typer(
    name="tradeloom",
    help="Self-hosted trading platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tradeloom {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Self-hosted trading platform."""


def main() -> None:
    """Run the command line; the entry point of the `tradeloom` script."""
    app()
