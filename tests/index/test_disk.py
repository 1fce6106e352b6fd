"""Files that are whole or not there, and what a kill leaves of them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.disk import remove_unfinished, replace_file, telling_when_full
from index.errors import LibraryError


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_what_a_killed_process_left_goes_when_the_file_is_written_again(
    tmp_path: Path, dead: int
) -> None:
    target = tmp_path / "a [1].csv"
    target.with_name(f"{target.name}.tmp{dead}").write_text("half")
    kept = [f"b.csv.tmp{dead}", f"{target.name}.tmp", f"{target.name}.tmp{os.getppid()}"]
    for name in kept:
        (tmp_path / name).write_text("of somebody else")
    replace_file(target, lambda path: path.write_text("whole"))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([target.name, *kept])
    assert target.read_text() == "whole"


def test_unfinished_files_of_a_pattern_go_together(tmp_path: Path, dead: int) -> None:
    for name in (f"clips-1.faiss.tmp{dead}", f"clips-22.faiss.tmp{dead}", "clips-3.faiss"):
        (tmp_path / name).write_text("x")
    remove_unfinished(tmp_path, "clips-*.faiss")
    assert [path.name for path in tmp_path.iterdir()] == ["clips-3.faiss"]


def test_a_writer_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")

    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError(errno.ENOSPC, "full")

    wanted = pytest.raises(LibraryError, match="what was finished before is kept")
    with wanted, telling_when_full(tmp_path):
        replace_file(target, fail)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]
