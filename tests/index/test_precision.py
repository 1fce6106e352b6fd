"""Which machine multiplies bf16 numbers itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.precision import multiplies_bf16

CPU_FACTS = Path("/proc/cpuinfo")


def test_a_device_of_another_sort_does_not() -> None:
    assert not multiplies_bf16("mps")


@pytest.mark.skipif(not CPU_FACTS.exists(), reason="the processor's flags are read on Linux")
def test_a_processor_does_when_it_has_the_instructions() -> None:
    words = set(CPU_FACTS.read_text().split())
    assert multiplies_bf16("cpu") == bool({"avx512_bf16", "amx_tile"} & words)
