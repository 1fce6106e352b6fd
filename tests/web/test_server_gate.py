"""Who may speak to the server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from agent.config import Config
from web.server import build_app
from web.server_desk import Desk, IndexRights
from web.server_gate import is_loopback

TOKEN = "a token of the test"


@pytest.fixture
def guarded(config: Config) -> Iterator[TestClient]:
    """The API as others on the network reach it."""
    desk = Desk(config, IndexRights(folders=(), anywhere=False))
    server = build_app(desk, names=frozenset({"nas.example"}), token=TOKEN)
    with TestClient(server, base_url="http://192.168.1.5:8765") as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("localhost:8765", 200),
        ("[::1]:8765", 200),
        ("LOCALHOST", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:8765", 403),
        ("192.168.1.5:8765", 403),
        ("evil.example@127.0.0.1", 403),
        ("127.0.0.1:8765/..", 403),
        ("", 403),
    ],
)
def test_only_our_own_host_names_are_served(client: TestClient, host: str, status: int) -> None:
    assert client.get("/health", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8765", 200),
        ("http://127.0.0.1:3000", 403),
        ("http://evil.example", 403),
        ("https://127.0.0.1:8765", 403),
        ("null", 403),
    ],
)
def test_foreign_origins_are_refused(client: TestClient, origin: str, status: int) -> None:
    for path in ("/v1/videos", "/v1/videos/1/film", "/"):
        assert client.get(path, headers={"Origin": origin}).status_code == status
    body = {"video": "1", "question": "x"}
    posted = client.post("/v1/ask", json=body, headers={"Origin": origin})
    assert posted.status_code == (202 if status == 200 else 403)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_pictures_cannot_be_put_into_pages_of_others(client: TestClient, site: str) -> None:
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/v1/videos/1/poster", headers=headers).status_code == 403
    visit = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=visit).status_code == 200, "a link to the page may be followed"
    assert client.get("/v1/runs", headers=visit).status_code == 403


def test_a_server_for_others_asks_for_its_token(guarded: TestClient) -> None:
    assert guarded.get("/health").json()["status"] == "ok"
    for path in ("/", "/static/page.js", "/v1/videos", "/v1/videos/1/film", "/v1/openapi.json"):
        assert guarded.get(path).status_code == 401
        wrong = guarded.get(path, headers={"Authorization": "Bearer wrong"})
        assert wrong.status_code == 401
        right = guarded.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert right.status_code == 200
    assert guarded.get("/v1/videos", params={"token": TOKEN}).status_code == 401, "only at the door"


def test_the_printed_address_leaves_a_cookie_and_hides_the_token(guarded: TestClient) -> None:
    entered = guarded.get("/", params={"token": TOKEN}, follow_redirects=False)
    assert entered.status_code == 303
    assert entered.headers["location"] == "/"
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert guarded.get("/v1/videos").status_code == 200
    refused = guarded.get("/", params={"token": "wrong"}, headers={"Cookie": ""})
    assert "location" not in refused.headers


def test_a_server_for_others_answers_to_addresses_and_to_its_names(guarded: TestClient) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for host, status in (
        ("nas.example:8765", 200),
        ("10.0.0.7", 200),
        ("evil.example", 403),
    ):
        assert guarded.get("/v1/videos", headers={**bearer, "Host": host}).status_code == status


def test_no_page_may_load_anything_from_elsewhere(client: TestClient) -> None:
    headers = client.get("/").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False),
     ("192.168.1.5", False), ("nas", False)],
)  # fmt: skip
def test_only_loopback_addresses_need_no_token(host: str, is_local: bool) -> None:
    assert is_loopback(host) is is_local
