"""The command that serves the page and the HTTP API."""

from __future__ import annotations

from pathlib import Path

import click

from web.flags import budget_option, config_of, library_option, model_options, set_option

_PORT = 8765
_TOKEN_BYTES = 24


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="0: any free one.",
)
@click.option(
    "--token",
    metavar="TEXT",
    envvar="LONGSHOT_TOKEN",
    help="What every request must carry. Made up for an address that others can reach.",
)
@click.option(
    "--name", multiple=True, metavar="HOST", help="Another host name that it is reached by."
)
@click.option(
    "--films",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Only films below it may be added from the page; may be repeated.",
)
@budget_option
@set_option
@model_options
@library_option
@click.pass_context
def serve_command(
    ctx: click.Context,
    host: str,
    port: int,
    token: str | None,
    name: tuple[str, ...],
    films: tuple[Path, ...],
) -> None:
    """Serve the page and the HTTP API: watch questions being answered, inspect runs."""
    import secrets
    import socket

    from web.server import build_app
    from web.server_desk import Desk, IndexRights
    from web.server_gate import is_loopback
    from web.server_listen import listen

    config = config_of(ctx)
    is_local = is_loopback(host)
    if token is not None and not token.strip():
        raise click.UsageError("the token is empty: give some text, or leave --token out")
    if token is None and not is_local:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
    for folder in films:
        if not folder.is_dir():
            raise click.BadParameter(f"{folder} is not a folder", param_hint="--films")
    rights = IndexRights(
        folders=tuple(folder.resolve() for folder in films), anywhere=is_local and not films
    )
    desk = Desk(config, rights)
    names = frozenset(name) | (set() if is_local else {host, socket.gethostname()})
    listen(build_app(desk, names=names, token=token), host=host, port=port, token=token)
