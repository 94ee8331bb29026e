"""Bounds that keep every run short, whatever the input. Each is far above what a paper needs."""

from __future__ import annotations

#: Nesting of an expression after `def`s are expanded: every later walk over it is recursive.
MAX_DEPTH = 100

#: Nodes of all the expressions of one optimizer after `def`s are expanded.
MAX_NODES = 20_000

#: Entries of a list.
MAX_ENTRIES = 100

#: Statements and rounds of one optimizer in its `repeat`s, after they are written out.
MAX_STATEMENTS = 300

#: Conditions of the level fixed (flags, `uses`, comparisons of consts) that are told apart when
#: sparse policies are analysed: 2^6 cases at most.
MAX_FIXED_CONDITIONS = 6
