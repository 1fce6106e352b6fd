"""The HTTP API over a small film, with the fakes for models."""

from __future__ import annotations

import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import app
from agent.config import Config
from bench.films import Recipe, render
from index.media import open_video
from tests.web.conftest import HOME
from web.server import build_app
from web.server_desk import Desk, IndexRights


def run_id(client: TestClient) -> str:
    return str(client.get("/v1/runs").json()["runs"][0]["id"])


def ended(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over."""
    for _ in range(600):
        state: dict[str, Any] = client.get(f"/v1/jobs/{job['id']}").json()
        if state["state"] in ("done", "failed", "stopped"):
            return state
        time.sleep(0.05)
    raise AssertionError(f"the job goes on: {state}")


def events(client: TestClient, job_id: str, **headers: str) -> Iterator[tuple[str, Any]]:
    """(name, data) of a job's stream, to its end."""
    with client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                yield name, json.loads(line[6:])


def error(client: TestClient, path: str, status: int) -> str:
    """The one line of an error."""
    answer = client.get(path)
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"error"}
    message: str = body["error"]["message"]
    assert message
    assert "\n" not in message
    return message


def test_a_film_is_listed_with_its_poster_and_state(client: TestClient, film: Path) -> None:
    (video,) = client.get("/v1/videos").json()["videos"]
    assert video["path"] == str(film)
    assert (video["state"], video["here"], video["duration_s"]) == ("ready", True, 30.0)
    poster = client.get(video["poster"])
    assert poster.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(poster.content)).height <= 160


def test_a_player_may_begin_anywhere_in_a_film(client: TestClient, film: Path) -> None:
    data = film.read_bytes()
    whole = client.get("/v1/videos/1/film")
    assert whole.content == data
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get("/v1/videos/1/film", headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.headers["content-range"] == f"bytes 1000-1999/{len(data)}"
    assert part.content == data[1000:2000]
    beyond = client.get("/v1/videos/1/film", headers={"Range": f"bytes={len(data)}-"})
    assert beyond.status_code == 416


def test_a_film_that_changed_or_went_is_not_given(
    client: TestClient, library: Path, film: Path, tmp_path: Path
) -> None:
    path = tmp_path / "moving.mp4"
    shutil.copy(film, path)
    path.write_bytes(path.read_bytes() + b"\0")
    job = client.post("/v1/index", json={"paths": [str(path)]}).json()
    assert ended(client, job)["state"] == "done"
    assert client.get("/v1/videos/2/film").status_code == 200
    path.write_text("something private that stands at the path now")
    assert "has changed" in error(client, "/v1/videos/2/film", 400)
    path.unlink()
    assert "not there" in error(client, "/v1/videos/2/film", 404)


def test_search_gives_moments_with_a_picture_each(client: TestClient) -> None:
    hits = client.get("/v1/search", params={"q": "a beach", "limit": 3}).json()["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    for hit in hits:
        assert hit["start"] < hit["end"]
        assert client.get(hit["thumbnail"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/v1/videos/99", 404, "no film number 99"),
        ("/v1/videos/99/film", 404, "no film number 99"),
        ("/v1/videos/none", 422, "video_id"),
        ("/v1/videos/1/frame?time_s=nan", 422, "time_s"),
        ("/v1/search?q=%20", 400, "empty"),
        ("/v1/search?q=x&video=nothing", 404, "nothing"),
        ("/v1/search?q=x&limit=0", 422, "limit"),
        ("/v1/runs/zzz", 404, "zzz"),
        ("/v1/runs?status=odd", 422, "status"),
        (f"/v1/runs?offset={2**63}", 422, "offset"),
        (f"/v1/videos/{2**63}/film", 422, "video_id"),
        ("/v1/jobs/zzz", 404, "zzz"),
        ("/nothing", 404, "/nothing"),
        ("/static/../server.py", 404, ""),
        ("/static/%2e%2e/server.py", 404, ""),
        ("/static/..%2f..%2fpyproject.toml", 404, ""),
        ("/static//etc/passwd", 404, ""),
    ],
)
def test_an_error_is_an_object_with_one_line(
    client: TestClient, path: str, status: int, words: str
) -> None:
    assert words in error(client, path, status)


def test_asking_streams_the_steps_and_leaves_the_run(client: TestClient) -> None:
    job = client.post("/v1/ask", json={"video": "1", "question": "where  is the <b>cat</b>?"})
    assert job.status_code == 202
    told = list(events(client, job.json()["id"]))
    names = [name for name, _ in told if name != "job"]
    assert names[0] == "run"
    assert names[-1] == "answer"
    assert set(names[1:-1]) == {"step"}
    steps = [data for name, data in told if name == "step"]
    run = client.get(f"/v1/runs/{told[-1][1]['run_id']}").json()
    assert run["question"] == "where is the <b>cat</b>?"
    assert run["steps"] == steps
    assert run["film"]["duration_s"] == 30.0
    assert told[-1][1]["state"] == "done"


def test_who_comes_back_to_a_stream_is_told_what_was_missed(client: TestClient) -> None:
    job = client.post("/v1/ask", json={"video": "1", "question": "where is the cat?"}).json()
    whole = [event for event in events(client, job["id"]) if event[0] != "job"]
    late = [
        each for each in events(client, job["id"], **{"Last-Event-ID": "1"}) if each[0] != "job"
    ]
    assert late == whole[2:]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"video": "1", "question": "  "}, 400),
        ({"video": "1", "question": "x", "options": ["one"]}, 400),
        ({"video": "nothing", "question": "x"}, 404),
        ({"video": "1", "question": "x", "budget": {"looks": 0}}, 422),
        ({"video": "1", "question": "x", "extra": 1}, 422),
        ({"video": "1"}, 422),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_at_once(
    client: TestClient, body: dict[str, Any], status: int
) -> None:
    answer = client.post("/v1/ask", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_the_budget_of_a_question_is_its_own(client: TestClient) -> None:
    body = {"video": "1", "question": "where is the cat?", "budget": {"looks": 1}}
    done = ended(client, client.post("/v1/ask", json=body).json())
    run = client.get(f"/v1/runs/{done['run_id']}").json()
    assert run["settings"]["budget"]["looks"] == 1
    assert run["answer"]["usage"]["looks"] <= 3, "one look, and those of the answer"


def test_runs_are_filtered_by_film_status_and_text(client: TestClient) -> None:
    def questions(**query: str) -> list[str]:
        return [run["question"] for run in client.get("/v1/runs", params=query).json()["runs"]]

    body = {"video": "1", "question": "a 100% rare_thing?"}
    ended(client, client.post("/v1/ask", json=body).json())
    both = ["a 100% rare_thing?", "what is on the beach?"]
    assert questions() == questions(video="1") == both
    assert questions(text="RARE_THING") == questions(text="100%") == both[:1]
    assert questions(text="rareXthing") == []
    assert questions(status="running") == []
    page = client.get("/v1/runs", params={"limit": 1}).json()
    assert page["more"]
    assert [(run["question"], run["kind"]) for run in page["runs"]] == [(both[0], "moment")]
    assert questions(limit="1", offset="1") == both[1:]


def test_a_frame_of_a_look_is_what_the_model_saw(client: TestClient, film: Path) -> None:
    record = client.get(f"/v1/runs/{run_id(client)}").json()
    look = next(look for step in record["steps"] for look in step["looks"])
    url = f"/v1/runs/{record['id']}/looks/{look['look']}/frames/1"
    answer = client.get(url)
    assert answer.headers["x-longshot-frame"] == "decoded"
    reader = open_video(film)
    (frame,) = reader.frames_at(
        look["frames"][1:2], width_px=look["width_px"], height_px=look["height_px"]
    )
    reader.close()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), frame.pixels)
    assert "no frame 99" in error(client, url[:-1] + "99", 404)


def test_a_run_whose_film_left_keeps_some_frames(client: TestClient, library: Path) -> None:
    flags = ["--library", str(library)]
    assert app.run(["remove", "1", *flags]) == 0
    record = client.get(f"/v1/runs/{run_id(client)}").json()
    assert record["film"] == {"in_library": False}
    assert record["steps"][0]["data"]["film_s"] == 30.0
    look = next(look for step in record["steps"] for look in step["looks"])
    base = f"/v1/runs/{record['id']}/looks/{look['look']}/frames"
    answers = [client.get(f"{base}/{index}") for index in range(len(look["frames"]))]
    kept = [each for each in answers if each.status_code == 200]
    assert kept
    assert {each.headers["x-longshot-frame"] for each in kept} == {"kept"}
    assert {each.status_code for each in answers} <= {200, 404}


def test_a_film_is_indexed_as_a_job_with_progress(client: TestClient, tmp_path: Path) -> None:
    other = render(tmp_path, Recipe("Ein Film <b> & “Ü”.mp4", fps=5), n_frames=50).path
    job = client.post("/v1/index", json={"paths": [str(other)]})
    assert job.status_code == 202
    told = list(events(client, job.json()["id"]))
    report = next(data for name, data in told if name == "report")
    assert [each["path"] for each in report["indexed"]] == [str(other)]
    assert told[-1] == ("job", ended(client, job.json()))
    assert len(client.get("/v1/videos").json()["videos"]) == 2


def test_a_file_that_is_no_film_fails_its_job_in_one_line(
    client: TestClient, tmp_path: Path
) -> None:
    path = tmp_path / "no film.mp4"
    path.write_text("text")
    done = ended(client, client.post("/v1/index", json={"paths": [str(path)]}).json())
    assert done["state"] == "failed"
    assert str(path) in done["error"]["message"]
    assert "\n" not in done["error"]["message"]


def test_only_films_of_the_named_folders_may_be_added(
    config: Config, film: Path, tmp_path: Path
) -> None:
    inside = tmp_path / "films"
    inside.mkdir()
    shutil.copy(film, inside / "copy.mp4")
    (inside / "link.mp4").symlink_to(film)
    desk = Desk(config, IndexRights(folders=(inside,), anywhere=False))
    with TestClient(build_app(desk, names=frozenset(), token=None), base_url=HOME) as client:

        def added(path: Path | str) -> int:
            return client.post("/v1/index", json={"paths": [str(path)]}).status_code

        assert added(inside / "copy.mp4") == 202
        assert added(film) == 403
        assert added(inside / "link.mp4") == 403
        assert added(inside / ".." / "x.mp4") == 403
        assert added("relative.mp4") == 400
        assert added(inside / "missing.mp4") == 400
        assert added("/nul\0byte") == 400


def test_a_run_that_was_stopped_goes_on(client: TestClient) -> None:
    body = {"video": "1", "question": "how many cats are there?"}
    job = client.post("/v1/ask", json=body).json()
    for name, _ in events(client, job["id"]):
        if name == "step":
            client.delete(f"/v1/jobs/{job['id']}")
    done = client.get(f"/v1/jobs/{job['id']}").json()
    if done["state"] == "done":
        pytest.skip("it was faster than the stop")
    assert done["state"] == "stopped"
    stopped = client.get(f"/v1/runs/{done['run_id']}").json()
    assert stopped["status"] == "running"
    again = ended(client, client.post(f"/v1/runs/{done['run_id']}/resume").json())
    assert again["state"] == "done"
    finished = client.get(f"/v1/runs/{done['run_id']}").json()
    assert finished["status"] != "running"
    assert [step["step"] for step in finished["steps"]] == list(range(len(finished["steps"])))


def test_the_api_describes_itself(client: TestClient) -> None:
    paths = client.get("/v1/openapi.json").json()["paths"]
    wanted = {"/health", "/v1/videos", "/v1/search", "/v1/ask", "/v1/runs", "/v1/runs/{run_id}"}
    assert wanted <= set(paths)
    assert {"/v1/runs/{run_a}/diff/{run_b}", "/v1/runs/{run_id}/export"} <= set(paths)
    formats = next(
        each
        for each in paths["/v1/runs/{run_id}/export"]["get"]["parameters"]
        if each["name"] == "format"
    )
    assert formats["schema"]["enum"] == ["html", "json", "atif", "otel", "inspect"]


def test_two_runs_part_where_the_command_says_it(
    client: TestClient, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = {"video": "1", "question": "where is the cat?", "budget": {"looks": 1}}
    a, b = run_id(client), ended(client, client.post("/v1/ask", json=body).json())["run_id"]
    found = client.get(f"/v1/runs/{a}/diff/{b}").json()
    assert app.run(["trace", "diff", a, b, "--json", "--library", str(library)]) == 0
    assert found == json.loads(capsys.readouterr().out)
    assert found["parts_at"] == 0
    assert {"question", "settings.budget.looks"} <= {each["what"] for each in found["setup"]}
    assert client.get(f"/v1/runs/{a}/diff/{a}").json()["parts_at"] is None
    assert "no run 'nothing'" in error(client, f"/v1/runs/{a}/diff/nothing", 404)


@pytest.mark.parametrize("form", ["html", "json", "atif", "otel", "inspect"])
def test_a_run_is_downloaded_in_every_form(client: TestClient, library: Path, form: str) -> None:
    run = run_id(client)
    answer = client.get(f"/v1/runs/{run}/export", params={"format": form})
    assert answer.status_code == 200
    kept_as = answer.headers["content-disposition"]
    assert kept_as.startswith("attachment; filename=")
    assert run in kept_as
    if form == "html":
        assert answer.headers["content-type"].startswith("text/html")
        file = library / "export.html"
        flags = ["--library", str(library), "-o", str(file)]
        assert app.run(["trace", "export", run, "--html", *flags]) == 0
        assert answer.text == file.read_text(encoding="utf-8")
    elif form == "json":
        assert answer.json() == client.get(f"/v1/runs/{run}").json()
    else:
        key = {"atif": "schema_version", "otel": "resourceSpans", "inspect": "samples"}[form]
        assert answer.json()[key]


def test_no_other_form_and_no_other_run_is_downloaded(client: TestClient) -> None:
    error(client, f"/v1/runs/{run_id(client)}/export?format=exe", 422)
    error(client, "/v1/runs/nothing/export", 404)
