"""The server: routes by resource, errors as JSON, the page as files. `docs/page.md` describes it.

The page reads nothing but this API; programs use the same (`/v1/openapi.json`).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from index.errors import InputError, LibraryError, LongshotError, MediaError, ModelError
from web import server_jobs, server_library, server_runs, server_videos
from web.server_desk import Desk, NotFoundError, RefusedError
from web.server_gate import Gate, error_body
from web.static_files import FOLDER

_log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[LongshotError], int], ...] = (
    (NotFoundError, 404),
    (RefusedError, 403),
    (InputError, 400),
    (MediaError, 404),
    (LibraryError, 409),
    (ModelError, 503),
)


def build_app(desk: Desk, *, names: frozenset[str], token: str | None) -> FastAPI:
    """The application over a desk, behind its gate.

    Args:
        names: host names that it may be reached by, beside the loopback ones.
        token: what every request must carry; None: nothing, for this machine alone.
    """

    @contextlib.asynccontextmanager
    async def closing(app: FastAPI) -> AsyncIterator[None]:
        yield
        desk.close()

    app = FastAPI(
        title="Longshot",
        version=version("longshot"),
        description="Questions about films, and the evidence. Times are half-open float seconds.",
        openapi_url="/v1/openapi.json",
        # Their pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=closing,
    )
    app.state.desk = desk
    for routes in (server_library, server_videos, server_jobs, server_runs):
        app.include_router(routes.router)
    _add_page(app)
    _add_errors(app)
    app.add_middleware(Gate, names=names, token=token)
    return app


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(FOLDER / "index.html", headers={"Cache-Control": "no-cache"})

    app.mount("/static", _Files(directory=FOLDER))


class _Files(StaticFiles):
    """Files that a browser asks about again each time: a new version shows at once."""

    async def get_response(self, path, scope):  # type: ignore[no-untyped-def]
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(LongshotError)
    def known(request: Request, error: LongshotError) -> JSONResponse:
        status = next((code for kind, code in _STATUS if isinstance(error, kind)), 400)
        return JSONResponse(error_body(error.message, error.hint), status)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return JSONResponse(error_body(f"{place}: {first['msg']}", "see /v1/openapi.json"), 422)

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> JSONResponse:
        body = error_body(f"{request.url.path[:200]}: {error.detail}")
        return JSONResponse(body, error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    def bug(request: Request, error: Exception) -> JSONResponse:
        _log.error("%s failed", request.url.path, exc_info=error)
        return JSONResponse(
            error_body("something broke in the server", "its log says what; please report it"), 500
        )
