"""Warnings from interval analysis: what can be divided by 0, or leave the reals."""

from __future__ import annotations

from optdsl.diagnostics import Diagnostics
from optdsl.semantics import model


def check_domains(optimizer: model.Optimizer, diagnostics: Diagnostics) -> None:
    """W401 to W405 for one optimizer, given the domains of its hyperparameters, with g free."""
