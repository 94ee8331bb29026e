"""From the resolved tree to the IR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from optdsl.ir import nodes
from optdsl.ir.build import FILL, is_static, op, substitute
from optdsl.ir.nodes import Block, Branch, Define, Expr, Literal_, Merge, Ref, Value
from optdsl.ir.passes import run_passes
from optdsl.ir.regions import combined_policies
from optdsl.semantics import model
from optdsl.semantics.constants import children
from optdsl.semantics.expand import axes_of
from optdsl.semantics.level import Level
from optdsl.semantics.operators import ALONG, SYMBOLS
from optdsl.semantics.rename import local_names, statements
from optdsl.syntax import tree
from optdsl.syntax.formatter import format_expression, format_statement

_CONSTANTS = {"pi": 3.141592653589793, "inf": float("inf")}


def _totals(statement: tree.Statement) -> int:
    """How many totals there are in the expressions of one statement."""
    match statement:
        case tree.Let(value=value) | tree.Assign(value=value):
            return _totals_in(value)
        case tree.If(condition=condition):
            return _totals_in(condition)
    return 0


def _totals_in(expr: tree.Expr) -> int:
    own = isinstance(expr, tree.Call) and expr.function.text == "total"
    return own + sum(map(_totals_in, children(expr)))


def _along(name: str, args: Sequence[Expr], axes: Sequence[int]) -> Expr:
    """A reduction along axes, made of sums, means and extremes."""
    numbers = [Literal_(axis) for axis in axes]
    if name == "norm":
        return op("sqrt", op("sum_along", op("pow", args[0], Literal_(2)), *numbers))
    if name == "rms":
        return op("sqrt", op("mean_along", op("pow", args[0], Literal_(2)), *numbers))
    if name == "dot":
        return op("sum_along", op("mul", *args), *numbers)
    return op(ALONG[name].name, args[0], *numbers)


def _policy_name(policy: tree.Sparse | model.Policy) -> str:
    return policy.name if isinstance(policy, model.Policy) else policy.policy.text


def lower(optimizer: model.Optimizer) -> nodes.Program:
    """The IR of one resolved optimizer, after all passes."""
    return run_passes(translate(optimizer))


def translate(optimizer: model.Optimizer) -> nodes.Program:
    """The IR of one resolved optimizer as it is written, with every statement in the body."""
    return _Lowering(optimizer).program()


class _Lowering:
    """One optimizer on its way into the IR: `current` is the newest value of every name."""

    def __init__(self, optimizer: model.Optimizer) -> None:
        self._optimizer = optimizer
        self._versions: Counter[str] = Counter()
        self._fixed: dict[Value, Expr] = {}  # locals of the level fixed, for conditions
        self._uses: dict[str, Expr] = {}
        self._declared: dict[str, Level] = {}
        self._pending: list[Define] = []  # what a total adds up, before the statement it is in
        self._parts: list[str] = []  # the names of that, total by total
        self._phases: list[tuple[Value, str | Expr]] = []
        self._regions: list[Sequence[tree.Sparse | model.Policy]] = [optimizer.policies]
        self._region = 0
        self._states: set[str] = set()
        self.current: dict[str, Expr] = {}
        self._inputs()

    def _inputs(self) -> None:
        o = self._optimizer
        self._input("w", Level.ELEMENT, "variable")
        self._input("g", Level.ELEMENT, "gradient")
        self._input("t", Level.STEP, "step")
        for hyper in o.hypers:
            self._input(hyper.name, Level.STEP, "hyper")
            self._uses[hyper.name] = Ref(Value(hyper.name, 0, Level.FIXED, "uses", is_bool=True))
        for const in o.consts:
            self._input(const.name, Level.FIXED, "const")
        for flag in o.flags:
            self._input(flag.name, Level.FIXED, "flag")
        for slot in o.slots:
            self._input(slot.name, Level.VARIABLE if slot.scalar else Level.ELEMENT, "slot")
        for shared in o.shareds:
            self._input(shared.name, Level.STEP, "shared")
        taken = {*self.current, *local_names(o.body)}
        for number in range(1, 1 + sum(map(_totals, statements(o.body)))):
            name = f"part_of_total_{number}"
            while name in taken:
                name += "_"
            self._parts.append(name)
            self._declared[name], self.current[name] = Level.VARIABLE, Literal_(0.0)

    def _input(self, name: str, level: Level, role: nodes.Role) -> None:
        self._declared[name] = level
        self.current[name] = Ref(Value(name, 0, level, role, is_bool=role == "flag"))

    # --------------------------------------------------------- expressions

    def expr(self, expr: tree.Expr) -> Expr:
        """An expression, with the newest value of every name."""
        match expr:
            case tree.Number(value=value) | tree.Boolean(value=value):
                return Literal_(value)
            case tree.Name(text=name):
                return Literal_(_CONSTANTS[name]) if name in _CONSTANTS else self.current[name]
            case tree.Unary(op=sign, operand=operand):
                return op("neg" if sign == "-" else "not", self.expr(operand))
            case tree.Binary(op=symbol, left=left, right=right):
                return op(SYMBOLS[symbol].name, self.expr(left), self.expr(right))
            case tree.Call():
                return self._call(expr)
            case tree.Index() | tree.List():
                raise AssertionError("lists were written out before")

    def _call(self, call: tree.Call) -> Expr:
        name = call.function.text
        if name == "uses":
            (hyper,) = call.args
            assert isinstance(hyper, tree.Name)
            return self._uses[hyper.text]
        args = [self.expr(a) for a in call.args]
        if name == "total":
            return self._total(args[0])
        if axes := axes_of(call):
            return op(FILL, _along(name, args, axes))
        if name == "clip":
            value, low, high = args
            return op("min", op("max", value, low), high)
        result = args[0] if name in ("min", "max") else op(name, *args)
        for arg in args[1:] if name in ("min", "max") else ():
            result = op(name, result, arg)
        return result

    def _total(self, part: Expr) -> Expr:
        """The sum of `part` over the variables; the part itself becomes a local."""
        number = 1 + sum(value.role == "total" for value, _ in self._phases)
        name = self._parts[number - 1]
        self._pending.append(Define(self._new(name, is_bool=False), part))
        total = Value(f"total_{number}", 0, Level.STEP, "total")
        self._phases.append((total, name))
        return Ref(total)

    def condition(self, expr: tree.Expr) -> Expr:
        """A condition; where it is known without a step, in terms of inputs alone."""
        lowered = self.expr(expr)
        return substitute(lowered, self._fixed) if is_static(lowered) else lowered

    # ---------------------------------------------------------- statements

    def block(self, body: Sequence[tree.Statement]) -> Block:
        """The statements of a block; the `let`s in it are forgotten at its end."""
        visible = set(self.current)
        result = self._statements(body)
        self.current = {n: e for n, e in self.current.items() if n in visible}
        return result

    def _statements(self, body: Sequence[tree.Statement]) -> Block:
        result: list[nodes.Statement] = []
        for statement in body:
            match statement:
                case tree.Wrapped():
                    result += self._wrapped(statement)
                case tree.Evaluate():
                    self._evaluate()
                case _:
                    lowered = self._statement(statement)
                    result += [*self._pending, lowered]
                    self._pending.clear()
        return tuple(result)

    def _wrapped(self, part: tree.Wrapped) -> Block:
        """The statements of a wrapped optimizer; its own `g` ends with them."""
        region, gradient, number = self._region, self.current["g"], len(self.gradients)
        self._regions.append(part.policies)
        self._region = len(self._regions) - 1
        body = self._statements(part.body)
        self._region = region
        later = self.gradients[number:]  # behind stages, it is that of the last one
        self.current["g"] = Ref(later[-1]) if later else gradient
        return body

    @property
    def gradients(self) -> list[Value]:
        """The gradients of later stages so far."""
        return [value for value, _ in self._phases if value.role == "gradient"]

    def _evaluate(self) -> None:
        """A stage ends: the gradient is taken where `w` is now."""
        value = Value(f"g_{len(self.gradients) + 2}", 0, Level.ELEMENT, "gradient")
        self._phases.append((value, self.current["w"]))
        self.current["g"] = Ref(value)

    def _statement(self, statement: tree.Statement) -> nodes.Statement:
        match statement:
            case tree.Let(name=name, value=value):
                self._declared[name.text] = self._optimizer.let_levels[statement.span]
                return self._define(name.text, self.expr(value), statement)
            case tree.Assign(target=target, op=sign, value=value):
                new = self.expr(value)
                if sign != "=":
                    new = op(SYMBOLS[sign[0]].name, self.current[target.text], new)
                return self._define(target.text, new, statement)
            case tree.If(condition=condition, then=then, orelse=orelse):
                text = f"if {format_expression(condition)}"
                return self._branch(self.condition(condition), then, orelse, text)
            case tree.Every(count=count, body=due, step=step):
                remainder = op("mod", self.current[step], self.expr(count))
                text = f"every {format_expression(count)}"
                return self._branch(op("eq", remainder, Literal_(0)), due, (), text)
            case _:
                raise AssertionError(f"semantics let {statement!r} through")

    def _define(self, name: str, expr: Expr, statement: tree.Statement) -> Define:
        before = self.current.get(name) if name in self._states else None
        value = self._new(name, expr.is_bool)
        if value.level == Level.ELEMENT and expr.level < Level.ELEMENT and not expr.is_bool:
            expr = op(FILL, expr)
        if value.level == Level.FIXED:
            self._fixed[value] = substitute(expr, self._fixed)
        return Define(value, expr, format_statement(statement), before, self._region)

    def _new(self, name: str, is_bool: bool) -> Value:
        self._versions[name] += 1
        value = Value(name, self._versions[name], self._declared[name], "local", is_bool)
        self.current[name] = Ref(value)
        return value

    def _branch(
        self,
        condition: Expr,
        if_true: Sequence[tree.Statement],
        if_false: Sequence[tree.Statement],
        text: str,
    ) -> Branch:
        pending, self._pending = self._pending, []
        before = dict(self.current)
        then = self.block(if_true)
        after_then, self.current = self.current, dict(before)
        orelse = self.block(if_false)
        after_else, self.current = self.current, dict(before)
        self._pending = pending
        merges = []
        for name in before:
            if after_then[name] != after_else[name]:
                sides = after_then[name], after_else[name]
                value = self._new(name, sides[0].is_bool)
                merges.append(Merge(value, *sides))
                if value.level == Level.FIXED:
                    choice = op("where", condition, *sides)
                    self._fixed[value] = substitute(choice, self._fixed)
        return Branch(condition, then, orelse, tuple(merges), text)

    # ------------------------------------------------------------- program

    def program(self) -> nodes.Program:
        """The whole, with every statement still in the body."""
        o = self._optimizer
        start = dict(self.current)
        self._states = {"w", *(s.name for s in o.slots if not s.scalar)}
        slots = tuple(self._slot(s) for s in o.slots)  # before the body: of the old values
        shareds = tuple(self._shared(s) for s in o.shareds)
        body = self._statements(o.body)
        states = ["w", *(s.name for s in o.slots)]
        return nodes.Program(
            name=o.name,
            doc=o.doc,
            hypers=tuple(
                nodes.Hyper(h.name, h.public, h.default, h.domain, h.doc, h.clock) for h in o.hypers
            ),
            consts=tuple(self._const(c) for c in o.consts),
            flags=tuple(nodes.Flag(f.name, f.public, f.default, f.doc) for f in o.flags),
            slots=slots,
            shareds=shareds,
            policies=self._policies(body),
            settings=tuple(sorted(o.settings.items())),
            step=(),
            shared_results=self._results([s.name for s in o.shareds], start),
            rule=nodes.Rule(body, self._results(states, start), ()),
            untouched=(),
            equations=tuple(line for s in o.body for line in format_statement(s).split("\n")),
            sources=tuple((s.name, sha256(s.text.encode()).hexdigest()) for s in o.sources),
            span=o.span,
            phases=tuple(self._phase(value, found) for value, found in self._phases),
            evaluation=self._evaluation(start),
        )

    def _evaluation(self, start: dict[str, Expr]) -> nodes.Evaluation | None:
        if not self._optimizer.evaluation:
            return None
        self.current = dict(start)
        body = self.block(self._optimizer.evaluation)
        text = "\n".join(map(format_statement, self._optimizer.evaluation))
        return nodes.Evaluation((), nodes.Rule(body, self._results(["w"], start), ()), text)

    def _phase(self, value: Value, found: str | Expr) -> nodes.Phase:
        name, expr = ("w", found) if not isinstance(found, str) else ("part", self.current[found])
        return nodes.Phase(value, (), nodes.Rule((), (nodes.Result(name, expr),), ()))

    def _policies(self, body: Block) -> tuple[nodes.Policy, ...]:
        regions = [
            [(_policy_name(p), self._fixed_condition(p)) for p in region]
            for region in self._regions
        ]
        return combined_policies(regions, body)

    def _results(self, states: Sequence[str], start: dict[str, Expr]) -> tuple[nodes.Result, ...]:
        return tuple(
            nodes.Result(s, self.current[s]) for s in states if self.current[s] != start[s]
        )

    def _const(self, c: model.Const) -> nodes.Const:
        default = self.expr(c.default)
        return nodes.Const(
            c.name, c.public, c.is_int, default, c.default_value, c.domain, c.doc, c.entry_of
        )

    def _slot(self, s: model.Slot) -> nodes.Slot:
        initial, condition = self.expr(s.initial), self._fixed_condition(s)
        return nodes.Slot(s.name, s.public, s.scalar, initial, condition, s.doc)

    def _shared(self, s: model.Shared) -> nodes.Shared:
        initial, condition = self.expr(s.initial), self._fixed_condition(s)
        return nodes.Shared(s.name, s.public, initial, condition, s.doc)

    def _fixed_condition(
        self, item: model.Slot | model.Shared | model.Policy | tree.Sparse
    ) -> Expr | None:
        return None if item.condition is None else self.condition(item.condition)
