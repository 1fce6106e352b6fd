"""Rules that no single file can keep: layers, names, sizes, instant help, documented commands."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from app import cli

ROOT = Path(__file__).resolve().parent.parent
BELOW_AGENT = {"index", "prompts", "tools"}
MAY_IMPORT = {
    "index": {"index"},
    "prompts": {"prompts"},
    "tools": {"tools", "index", "prompts"},
    "agent": {"agent"} | BELOW_AGENT,
    "demo": {"demo"},
    "demo/train": {"demo", "evals", "agent"} | BELOW_AGENT,
    "evals": {"evals", "demo", "agent"} | BELOW_AGENT,
    "web": {"web", "evals", "demo", "agent"} | BELOW_AGENT,
    "app.py": {"web", "evals", "demo", "agent"} | BELOW_AGENT,
}
"""Layer → the layers that it may import; the demo world itself knows nothing of the program."""
OURS = {"index", "prompts", "tools", "agent", "demo", "evals", "web", "app", "bench", "tests"}
HEAVY = {
    "torch",
    "transformers",
    "open_clip",
    "faiss",
    "decord",
    "numpy",
    "langgraph",
    "rich",
    "av",
}
MODELS = {"torch", "transformers", "open_clip", "faiss", "decord"}
MOST_LINES, MOST_FUNCTION_LINES = 400, 60
TABLES = re.compile(r"_?m\d{3}_")
"""Migrations: lists of tables, as long as these are."""


def sources() -> Iterator[tuple[str, Path]]:
    """(layer, file) of the whole program."""
    for layer in ("index", "prompts", "tools", "agent", "demo", "evals", "web"):
        for path in sorted((ROOT / layer).rglob("*.py")):
            is_training = path.is_relative_to(ROOT / "demo" / "train")
            yield ("demo/train" if is_training else layer), path
    yield "app.py", ROOT / "app.py"


SOURCES = list(sources())
NAMES = [str(path.relative_to(ROOT)) for _, path in SOURCES]


def imported(tree: ast.Module) -> Iterator[str]:
    """First names of all modules that a file imports, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield str(node.module).split(".")[0]


@pytest.mark.parametrize(("layer", "path"), SOURCES, ids=NAMES)
def test_imports_point_down_only(layer: str, path: Path) -> None:
    found = OURS.intersection(imported(ast.parse(path.read_text(encoding="utf-8"))))
    assert found <= MAY_IMPORT[layer]


@pytest.mark.parametrize(("layer", "path"), SOURCES, ids=NAMES)
def test_a_file_is_read_in_one_sitting_and_named_for_what_it_holds(layer: str, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert path.stem not in ("utils", "helpers", "common", "misc")
    assert text.count("\n") <= MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not TABLES.match(node.name):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MOST_FUNCTION_LINES, node.name


def commands(
    group: click.Group = cli, prefix: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with its words."""
    for name, command in group.commands.items():
        yield (*prefix, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*prefix, name))


def test_help_of_every_command_imports_nothing_heavy() -> None:
    calls = [[], *(list(words) for words, _ in commands())]
    code = (
        "import app, json, sys\n"
        f"codes = [app.run([*words, '--help']) for words in {calls!r}]\n"
        f"print(json.dumps([codes, sorted({HEAVY!r} & set(sys.modules))]), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    codes, heavy = json.loads(done.stderr)
    assert set(codes) == {0}
    assert heavy == []


def test_joining_the_parts_loads_no_model_library() -> None:
    modules = "agent.ask, agent.config, agent.models, evals.run, index.build, web.terminal"
    code = f"import sys, app, {modules}\nprint(sorted({MODELS!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_and_option_is_documented(words: tuple[str, ...]) -> None:
    command = dict(commands())[words]
    if isinstance(command, click.Group):
        return
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    section = sections[f"`longshot {' '.join(words)}`"]
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert f"`{parameter.opts[-1]}" in section + sections["Settings"]


def shown_commands() -> list[str]:
    """Lines of the README's and the docs' shell blocks that begin with longshot or make."""
    texts = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    blocks = [
        block
        for path in texts
        for block in re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.S)
    ]
    lines = [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith(("longshot ", "make "))]


@pytest.mark.parametrize("line", shown_commands())
def test_a_command_shown_in_the_docs_can_be_given(line: str) -> None:
    program, *words = shlex.split(line, comments=True)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(f"\n{word}:" in makefile for word in words)
        return
    command: click.Command = cli
    context = cli.make_context("longshot", words)
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert found is not None, name
        command, context = found, found.make_context(name, rest, parent=context)
