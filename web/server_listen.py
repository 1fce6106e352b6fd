"""The socket and the loop: bind, say where the page is, serve until Ctrl-C."""

from __future__ import annotations

import socket
import sys
from urllib.parse import quote

import click
import uvicorn
from fastapi import FastAPI

from index.errors import InputError

_BACKLOG = 128
_GRACE_S = 2


def listen(app: FastAPI, *, host: str, port: int, token: str | None) -> None:
    """Serve until Ctrl-C; the address is printed once requests are taken.

    Raises:
        InputError: the address cannot be listened on.
    """
    bound = _bind(host, port)
    port = bound.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            # A stream of events would hold the server for ever.
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
    click.echo(f"Longshot is at {address(host, port, token)} (Ctrl-C ends it)")
    sys.stdout.flush()
    with bound:
        server.run(sockets=[bound])


def address(host: str, port: int, token: str | None) -> str:
    """What to open in a browser; the token is in it where one is needed."""
    shown = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(host, host)
    place = f"[{shown}]" if ":" in shown else shown
    return f"http://{place}:{port}/" + (f"?token={quote(token)}" if token else "")


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        raise InputError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            "choose another --port, or --port 0 for any free one",
        ) from error
    return bound
