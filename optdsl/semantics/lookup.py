"""Where the parts of a composition are looked up: beside the file, in folders, in the library."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from optdsl.diagnostics import Diagnostics
from optdsl.resources import SPECS
from optdsl.syntax import parser, tree

_HEADER = re.compile(r"^[ \t]*(?:optimizer|wrapper)[ \t]+([A-Za-z_][A-Za-z_0-9]*)", re.MULTILINE)


class Library:
    """Folders of specs, in the order in which they are looked through; the built-in one is last."""

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self._folders = (*map(Path, folders), SPECS)

    def find(self, name: str, beside: Path | None) -> Path | None:
        """The file that declares this optimizer or wrapper; `beside` is looked through first."""
        folders = self._folders if beside is None else (beside, *self._folders)
        return next((d[name] for d in map(_declared, folders) if name in d), None)

    def names(self, beside: Path | None) -> Iterator[str]:
        """All the names that can be found."""
        for folder in self._folders if beside is None else (beside, *self._folders):
            yield from _declared(folder)


@cache
def _declared(folder: Path) -> dict[str, Path]:
    """What the files of a folder declare; of two files with one name the first counts."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.opt")) if folder.is_dir() else ():
        source = parser.read_source(path, Diagnostics())
        for name in _HEADER.findall(source.text) if source else ():
            found.setdefault(name, path)
    return found


@cache
def read(path: Path) -> tree.File | None:
    """The tree of a file; None where it does not read."""
    diagnostics = Diagnostics()
    source = parser.read_source(path, diagnostics)
    file = parser.parse(source, diagnostics) if source else None
    return None if diagnostics.has_errors else file
