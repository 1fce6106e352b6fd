"""One suite for all encoders, and what only open_clip models can get wrong."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder, open_encoder
from index.errors import ModelError
from index.types import Pixels
from tests.index.tiny_clip import save_tiny_clip


def noise(n_frames: int = 5, height_px: int = 90, width_px: int = 160) -> Pixels:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n_frames, height_px, width_px, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    save_tiny_clip(folder)
    return folder


@pytest.fixture(params=["hash", "open_clip"])
def encoder(request: pytest.FixtureRequest, folder: Path) -> Encoder:
    return open_encoder("hash" if request.param == "hash" else f"local-dir:{folder}")


def test_vectors_are_unit_float32_rows(encoder: Encoder) -> None:
    for vectors, n_rows in (
        (encoder.encode_frames(noise()), 5),
        (encoder.encode_texts(["a red car", "the beach"]), 2),
        (encoder.encode_frames(noise(0)), 0),
        (encoder.encode_texts([]), 0),
    ):
        assert vectors.shape == (n_rows, encoder.identity.dimension)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_picture_has_one_vector_whatever_stands_beside_it(encoder: Encoder) -> None:
    together = encoder.encode_frames(noise())
    alone = np.concatenate([encoder.encode_frames(frame[None]) for frame in noise()])
    assert together == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("resize_mode", ["squash", "shortest", "longest"])
def test_pictures_are_prepared_as_open_clip_prepares_them(resize_mode: str, tmp_path: Path) -> None:
    import open_clip
    import torch
    from PIL import Image

    save_tiny_clip(tmp_path, resize_mode=resize_mode)
    name = f"local-dir:{tmp_path}"
    model, _, prepare = open_clip.create_model_and_transforms(name)
    pictures = torch.stack([prepare(Image.fromarray(frame)) for frame in noise()])
    with torch.inference_mode():
        expected = model.eval().encode_image(pictures, normalize=True).numpy()
    cosines = (expected * open_encoder(name).encode_frames(noise())).sum(axis=1)
    assert cosines.min() > 0.999


def test_equal_weights_elsewhere_are_the_same_encoder(folder: Path, tmp_path: Path) -> None:
    save_tiny_clip(tmp_path / "same")
    save_tiny_clip(tmp_path / "other", seed=1)
    identity = open_encoder(f"local-dir:{folder}").identity
    assert identity == open_encoder(f"local-dir:{tmp_path / 'same'}").identity
    assert identity != open_encoder(f"local-dir:{tmp_path / 'other'}").identity


def test_bf16_is_the_same_space(folder: Path) -> None:
    exact = open_encoder(f"local-dir:{folder}", precision="fp32")
    short = open_encoder(f"local-dir:{folder}", precision="bf16")
    assert short.identity == exact.identity
    assert (exact.encode_frames(noise()) * short.encode_frames(noise())).sum(axis=1).min() > 0.999


def test_the_fake_knows_colours_and_says_that_it_is_a_fake() -> None:
    fake = open_encoder("hash")
    assert "fake" in fake.identity.name
    red = np.full((1, 36, 64, 3), (220, 20, 20), np.uint8)
    scores = fake.encode_texts(["a red thing", "a blue thing"]) @ fake.encode_frames(red)[0]
    assert scores[0] > 0.9 > scores[1]


@pytest.mark.parametrize(
    ("name", "weights", "says"),
    [
        ("ViT-B-33", None, "near names: ViT-B-32"),
        ("ViT-B-32", None, "name weights, one of: openai"),
        ("ViT-B-32", "no-such-tag", "neither a file nor weights"),
        ("local-dir:no-such-folder", None, "no open_clip_config.json"),
    ],
)
def test_what_cannot_be_loaded_is_an_error_that_names_choices(
    name: str, weights: str | None, says: str
) -> None:
    with pytest.raises(ModelError) as caught:
        open_encoder(name, weights=weights)
    assert says in str(caught.value)


def test_a_folder_without_weights_is_an_error_not_a_random_model(tmp_path: Path) -> None:
    save_tiny_clip(tmp_path)
    (tmp_path / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match="there are no weights"):
        open_encoder(f"local-dir:{tmp_path}")


_OFFLINE = """
from index.encoder import open_encoder
from index.errors import ModelError
try:
    open_encoder("ViT-bigG-14", weights="laion2b_s39b_b160k")
except ModelError as error:
    print(error)
"""


@pytest.mark.slow
def test_without_a_network_it_fails_at_once() -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _OFFLINE],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )
    assert "not on this machine, and there is no network" in done.stdout


def test_a_device_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ModelError, match='the device "cuda:99" is not there'):
        open_encoder(f"local-dir:{folder}", device="cuda:99")
