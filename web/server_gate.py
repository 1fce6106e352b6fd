"""Who may speak to the server: the right host name, the right origin, and a token where one is set.

A page of another site can make a browser send requests here, also to 127.0.0.1, and with DNS
tricks even under a name of its own. So the Host must be one of ours, a request that a browser says
comes from elsewhere is refused, and a server that others can reach asks for a token each time.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "longshot_token"
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_OPEN_PATHS = ("/health",)
_HEADERS: Mapping[str, str] = {
    # Everything comes from this server: no script, style or picture of anybody else.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
        " media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}


def is_loopback(host: str) -> bool:
    """Whether an address that a server listens on can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Gate:
    """ASGI middleware around the whole server."""

    def __init__(self, app: ASGIApp, *, names: frozenset[str], token: str | None) -> None:
        """`names`: host names beside the loopback ones; with a token, addresses are let in too."""
        self._app = app
        self._names = _LOOPBACK_NAMES | {name.lower() for name in names}
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        if self._token is not None and scope["path"] not in _OPEN_PATHS:
            if self._came_with_token(scope):
                await self._keep_token(scope, send)
                return
            if not self._knows_token(headers):
                await _answer(
                    send, 401, "a token is needed", "open the address that longshot serve printed"
                )
                return
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 403, f"the host {host[:80]!r} is not served here", "use the printed address"
        origin = headers.get("origin")
        if origin is not None and not _same_place(origin, host, scheme=scope["scheme"]):
            return 403, f"requests from {origin[:80]!r} are refused", "open the page itself"
        site = headers.get("sec-fetch-site", "same-origin")
        is_visit = scope["path"] == "/" and headers.get("sec-fetch-mode") == "navigate"
        if site not in ("same-origin", "none") and not is_visit:
            return 403, "requests from other sites are refused", "open the page itself"
        return None

    def _is_ours(self, host: str) -> bool:
        name = (urlsplit(f"//{host}").hostname or "") if _is_sane(host) else ""
        if name in self._names:
            return True
        # An address as such is no name that somebody could point here; the token guards it.
        return self._token is not None and _is_address(name)

    def _came_with_token(self, scope: Scope) -> bool:
        """The printed address: it carries the token once, and the page then keeps a cookie."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        return self._is_token(given)

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(given.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(unquote(cookie.value))

    def _is_token(self, given: str) -> bool:
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    async def _keep_token(self, scope: Scope, send: Send) -> None:
        cookie = f"{COOKIE}={quote(self._token or '', safe='')}; HttpOnly; SameSite=Strict; Path=/"
        headers = [(b"location", b"/"), (b"set-cookie", cookie.encode())]
        await _with_headers(send)(
            {"type": "http.response.start", "status": 303, "headers": headers}
        )
        await send({"type": "http.response.body", "body": b""})


def error_body(message: str, hint: str = "") -> dict[str, Any]:
    """How every error looks: one line, and what to do."""
    return {"error": {"message": message, "hint": hint}}


async def _answer(send: Send, status: int, message: str, hint: str) -> None:
    body = json.dumps(error_body(message, hint)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped


def _is_sane(host: str) -> bool:
    return bool(host) and not set(host) & set("/@?#\\ ")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _same_place(origin: str, host: str, *, scheme: str) -> bool:
    return origin.lower() == f"{scheme}://{host}".lower()
