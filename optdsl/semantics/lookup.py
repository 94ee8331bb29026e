"""Where the parts of a composition are looked up: beside the file, in folders, in the library."""

from __future__ import annotations

import contextlib
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
    """Folders of specs, in the order in which they are looked through; the built-in one is last.

    A folder is listed once: what is in it is known as it was when the first part was looked up.
    """

    def __init__(self, folders: Iterable[str | os.PathLike[str]] = ()) -> None:
        self._folders = (*map(Path, folders), SPECS)
        self._listed: dict[Path, dict[str, list[Path]]] = {}

    def find(self, name: str, beside: Path | None) -> Path | None:
        """The file that declares this optimizer or wrapper; `beside` is looked through first."""
        found = (path for declared in self._all(beside) for path in declared.get(name, ()))
        return next((path for path in found if _declares(path, name)), None)

    def names(self, beside: Path | None) -> Iterator[str]:
        """All the names that can be found."""
        for declared in self._all(beside):
            yield from declared

    def _all(self, beside: Path | None) -> Iterator[dict[str, list[Path]]]:
        for folder in self._folders if beside is None else (beside, *self._folders):
            if folder not in self._listed:
                self._listed[folder] = _declared(folder)
            yield self._listed[folder]


def _declared(folder: Path) -> dict[str, list[Path]]:
    """What the files of a folder seem to declare; it may stand in a text."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.opt")) if folder.is_dir() else ():
        for name in _headers(path, _stamp(path)):
            found.setdefault(name, []).append(path)
    return found


def _declares(path: Path, name: str) -> bool:
    """Whether a file declares an optimizer or wrapper; one that does not read may be meant."""
    file = read(path)
    return file is None or any(item.name.text == name for item in file.optimizers)


def _stamp(path: Path) -> tuple[int, int]:
    """Another one where a file has changed."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_size
    return 0, 0


@cache
def _headers(path: Path, stamp: tuple[int, int]) -> tuple[str, ...]:
    with contextlib.suppress(OSError):
        source = parser.read_source(path, Diagnostics())
        return tuple(_HEADER.findall(source.text)) if source else ()
    return ()


def read(path: Path) -> tree.File | None:
    """The tree of a file; None where it does not read."""
    return _read(path, _stamp(path))


@cache
def _read(path: Path, stamp: tuple[int, int]) -> tree.File | None:
    diagnostics = Diagnostics()
    source = parser.read_source(path, diagnostics)
    file = parser.parse(source, diagnostics) if source else None
    return None if diagnostics.has_errors else file
