"""Fitting the calibration of P(yes)."""

import math

import pytest

from evals.calibrate import fit


def calibrated(p: float, temperature: float, bias: float) -> float:
    return 1 / (1 + math.exp(-(math.log(p / (1 - p)) + bias) / temperature))


def test_probabilities_that_are_honest_stay_as_they_are() -> None:
    # Of looks at 0.8 four of five show it, of looks at 0.2 one of five: both classes have ten.
    p_yes = [0.8] * 10 + [0.2] * 10
    truth = [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8
    temperature, bias = fit(p_yes, truth)
    assert temperature == pytest.approx(1.0, abs=0.02)
    assert bias == pytest.approx(0.0, abs=0.02)


def test_a_model_that_says_yes_too_easily_is_drawn_down() -> None:
    # Every no stands at 0.6 and every yes at 0.9, with one of ten on the wrong side.
    p_yes = [0.9] * 10 + [0.6] * 10
    truth = [True] * 9 + [False] + [True] + [False] * 9
    temperature, bias = fit(p_yes, truth)
    assert bias < 0
    assert calibrated(0.9, temperature, bias) == pytest.approx(0.9, abs=0.03)
    assert calibrated(0.6, temperature, bias) == pytest.approx(0.1, abs=0.03)


def test_one_class_alone_cannot_be_fitted() -> None:
    with pytest.raises(ValueError, match="both"):
        fit([0.2, 0.3], [False, False])
