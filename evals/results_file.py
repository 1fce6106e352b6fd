"""A document with measured sections: a command rewrites its own and leaves the rest alone.

<!-- begin NAME: written by longshot eval, edits are lost -->
…
<!-- end NAME -->
"""

from __future__ import annotations

import re
from pathlib import Path

from index.disk import replace_file
from index.errors import InputError

_NAME = re.compile(r"^[a-z0-9][a-z0-9-]*$")


def check_section(name: str) -> None:
    """Passes for a name of small letters, digits and dashes.

    Raises:
        InputError: another name.
    """
    if not _NAME.match(name):
        raise InputError(f"no section can be called {name!r}", "use small letters, digits, dashes")


def with_section(text: str, name: str, body: str) -> str:
    """The document with the section's body changed; a section that is missing comes last."""
    check_section(name)
    begin = f"<!-- begin {name}: written by longshot eval, edits are lost -->"
    end = f"<!-- end {name} -->"
    section = f"{begin}\n{body.strip()}\n{end}"
    pattern = re.compile(rf"<!-- begin {re.escape(name)}:[^\n]*-->\n.*?{re.escape(end)}", re.S)
    if pattern.search(text):
        return pattern.sub(lambda _: section, text, count=1)
    head = f"{text.rstrip()}\n\n" if text.strip() else ""
    return f"{head}{section}\n"


def write_section(path: Path, name: str, body: str) -> None:
    """Put a section into a file; one that is not there is made.

    Raises:
        InputError: the name is none.
        OSError: the file cannot be read or written.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    new = with_section(text, name, body)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, lambda unfinished: _write(unfinished, new))


def section_body(*, command: str, tables: str, picture: str | None) -> str:
    """A section in Markdown: the command that made it, its tables, its picture."""
    parts = [f"```sh\n{command}\n```", f"```text\n{tables}\n```"]
    if picture:
        parts.append(f"![Accuracy against visual tokens]({picture})")
    return "\n\n".join(parts)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
