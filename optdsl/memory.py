"""What a run leaves for the next one into the same folder, so that it need not do the same again.

A spec is not generated again if nothing has changed of what its files come from (the spec, how it
was asked for, the files in which its parts are looked up where it has some, all of optdsl and the
packages that it uses), and each of its files is what was made then. So all that can be wrong about
a memory costs time only. A spec that something was reported about is never remembered: what is to
be told about it is told by every run.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from optdsl.cache import folder as cache_folder
from optdsl.discover import SpecFile
from optdsl.emit import specs_of, write_atomically
from optdsl.output import Module
from optdsl.resources import SPECS, TEMPLATES

#: Packages that have a say in what is generated.
_PACKAGES = ("jinja2", "lark", "markupsafe", "numpy")


class Memory:
    """The specs that were generated into the folder `output` for some targets.

    A spec that cannot be recalled is kept after it was generated; `save` ends the run.
    """

    def __init__(self, output: Path, targets: Sequence[str]) -> None:
        folder, name = cache_folder(), _digest(os.fsencode(os.path.abspath(output)))
        self._file = folder / f"run-{name[:32]}" if folder else None
        self._output = output
        self._run = _digest(_generator().encode(), repr(tuple(targets)).encode())
        self._entries = _load(self._file, self._run) if self._file else {}
        self._folders: dict[Path, _Folder] = {}
        self._keys: dict[SpecFile, tuple[str, str]] = {}
        self._has_news = False

    def recall(self, spec: SpecFile) -> list[Module] | None:
        """The modules of a spec if their files are what they should be; None if it is not sure."""
        self._keys[spec] = key, around = _key(spec), self._around(spec)
        entry = self._entries.get(_name(spec))
        if entry is None or entry["key"] != key or entry["around"] not in ("", around):
            return None
        if not all(_has(self._output / path, digest) for path, digest in entry["files"]):
            return None
        places = [path.split("/") for path, _ in entry["files"]]
        return [Module(target, file, None, spec) for target, file in places]

    def keep(self, spec: SpecFile, modules: Iterable[Module]) -> None:
        """Remember what was made of a spec about which nothing is to be told.

        It was asked for with `recall` before it was generated.
        """
        files = [(m.path, m.text) for m in modules if m.text is not None]
        is_composed = any(len(specs_of(text) or ()) > 1 for _, text in files)
        key, around = self._keys[spec]
        self._has_news = True
        self._entries[_name(spec)] = {
            "key": key if key == _key(spec) else "",  # the file may have changed in the meantime
            "around": around if is_composed else "",
            "files": [(path, _digest(text.encode())) for path, text in files],
        }

    def save(self) -> None:
        """Leave it for the next run, unless what it rests on has changed during this one."""
        if self._file and self._has_news and self._rests():
            with contextlib.suppress(OSError):
                text = json.dumps({"run": self._run, "specs": self._entries})
                write_atomically(self._file, text)

    def _rests(self) -> bool:
        is_same = _generator() == _generator.__wrapped__()
        return is_same and all(_folder(path) == found for path, found in self._folders.items())

    def _around(self, spec: SpecFile) -> str:
        """The digest of all the files in which parts of a composition are looked up."""
        open_, seen = [spec.path.resolve().parent, *spec.library, SPECS], []
        while open_:
            path = open_.pop()
            if path not in seen:
                seen.append(path)
                found = self._folders[path] = self._folders.get(path) or _folder(path)
                open_ += found.others
        return _digest(*(self._folders[path].digest.encode() for path in seen))


class _Folder(NamedTuple):
    """The digest of the specs in a folder, and the folders in which those lie that are links."""

    digest: str
    others: tuple[Path, ...]


def _load(file: Path, run: str) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
        found = json.loads(file.read_bytes())
        if found["run"] == run:  # and so it has the form that this version writes
            return dict(found["specs"])
    return {}


def _name(spec: SpecFile) -> str:
    return spec.text or os.path.abspath(spec.path)


def _key(spec: SpecFile) -> str:
    """The digest of a spec and of how it was asked for."""
    folders = map(os.path.abspath, (spec.path, spec.root, *spec.library))
    text = os.fsencode(spec.text) or _bytes(spec.path)
    return _digest(text, os.fsencode(spec.title), *map(os.fsencode, folders))


def _folder(path: Path) -> _Folder:
    files = sorted(path.glob("*.opt")) if path.is_dir() else []
    links = [Path(os.path.realpath(file)) for file in files if file.is_symlink()]
    names = [os.path.realpath(path), *(file.name for file in files), *map(str, links)]
    texts = [_bytes(file) for file in files]
    digest = _digest(*map(os.fsencode, names), *texts)
    return _Folder(digest, tuple(dict.fromkeys(link.parent for link in links)))


@cache
def _generator() -> str:
    """The digest of what generates: optdsl as this process began with it, and what it uses."""
    package = Path(__file__).parent
    own = [path for kind in ("py", "opt", "lark") for path in package.rglob(f"*.{kind}")]
    sources = [*own, *TEMPLATES.rglob("*.jinja")]
    return _digest(
        sys.version.encode(),
        *(part for file in sorted(sources) for part in (os.fsencode(file), _bytes(file))),
        *(_package(name).encode() for name in _PACKAGES),
    )


def _package(name: str) -> str:
    """Where a package lies, and since when: it is not imported for that."""
    found = find_spec(name)
    folder = os.path.dirname(found.origin) if found and found.origin else ""
    return f"{folder} {os.stat(folder).st_mtime_ns if folder else 0}"


def _bytes(file: Path) -> bytes:
    with contextlib.suppress(OSError):
        return file.read_bytes()
    return b""


def _has(file: Path, digest: str) -> bool:
    """Whether it is a file of its own, and holds what it should."""
    with contextlib.suppress(OSError):
        return stat.S_ISREG(file.lstat().st_mode) and _digest(file.read_bytes()) == digest
    return False


def _digest(*parts: bytes) -> str:
    """One digest for some parts, each with its length."""
    found = sha256()
    for part in parts:
        found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()
