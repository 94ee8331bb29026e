"""What the file of a generated optimizer is called."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

# A word is capitals, then small letters; a single capital before the next word or at the end
# belongs to it (AdamW, AdamWDebiased). A run of capitals alone is a word too (SignSGD, RMSpropTF).
_WORD = re.compile(r"[A-Z]*[a-z0-9]+(?:[A-Z](?=[A-Z][a-z]|_|$))?|[A-Z]+")


def snake_case(name: str) -> str:
    """An optimizer's name in small letters, its words joined by underscores.

    AMSGrad → amsgrad, RMSprop → rmsprop, AdamW → adamw, LazyAdam → lazy_adam, SignSGD → sign_sgd.
    """
    return "_".join(_WORD.findall(name)).lower() or name


def module_name(optimizer: str, spec: str, imported: Collection[str]) -> str:
    """The module of an optimizer, without `.py`.

    If `spec`, the name of its file without `.opt`, spells the optimizer's name, with underscores
    anywhere, then it is the module's name too (novograd for NovoGrad); otherwise the name in
    snake case. A keyword, and the name of a module that the file itself imports (`imported`),
    get a trailing underscore: a folder on sys.path must not hide `numpy`.
    """
    letters = optimizer.replace("_", "").lower()
    spelled = spec[:1].isalpha() and spec.replace("_", "") == letters
    name = spec if spelled else snake_case(optimizer)
    return name + "_" if keyword.iskeyword(name) or name in imported else name
