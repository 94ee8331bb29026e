"""The option `xla`: dense steps of rules that no kernel computes are compiled."""

import sys
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from tests.tf1.harness import GRAPH, generated, graph_session, train, variable

pytestmark = pytest.mark.tf

#: Rules that differ in what is around them: conditions, starts, totals, a norm.
NAMES = ["adabelief", "radam", "ranger", "prodigy", "lamb", "dog", "accumulated_adam"]


def is_compiled(graph):
    """Whether something in it is compiled, as TF 1.15 or as TF 2 says it."""
    definition = graph.as_graph_def()
    attributes = {name for node in definition.node for name in node.attr}
    attributes |= {name for function in definition.library.function for name in function.attr}
    return bool(attributes & {"_xla_compile_id", "_XlaMustCompile"})


def stream(steps=7, seed=0):
    rng = np.random.RandomState(seed)
    start = [rng.randn(3, 2), rng.randn(5), rng.randn()]
    return start, [[rng.randn(*np.shape(w)) for w in start] for _ in range(steps)]


@pytest.mark.parametrize("mode", ["resource", "eager", "function"])
@pytest.mark.parametrize("name", [*NAMES, "heun"])
def test_what_is_compiled_is_the_same_rule(name, mode):
    assert_same(name, mode)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_of_reference_variables(name):
    assert_same(name, "ref")


def assert_same(name, mode):
    start, grads = stream()
    values, slots = train(generated(name)(xla=True), start, grads, mode)
    expected, expected_slots = train(generated(name)(), start, grads, mode)
    for x, y in zip(values, expected):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-6)
    for of_one, others in zip(slots, expected_slots):
        for slot, x in of_one.items():
            np.testing.assert_allclose(x, others[slot], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", GRAPH)
@pytest.mark.parametrize("name, compiles", [("adabelief", True), ("adam", False)])
def test_what_no_kernel_computes_is_compiled(name, compiles, mode):
    for xla in (False, True):
        with graph_session():
            w = variable([1.0, 2.0], resource=mode == "resource")
            generated(name)(xla=xla).apply_gradients([(tf.ones([2]), w)])
            assert is_compiled(tf.get_default_graph()) == (xla and compiles)


@pytest.mark.parametrize("mode", GRAPH)
def test_a_sparse_gradient_is_not_compiled(mode):
    with graph_session() as session:
        w = variable(np.ones((4, 2)), resource=mode == "resource")
        rows = tf.IndexedSlices(tf.ones([2, 2]), tf.constant([1, 1]))
        update = generated("adabelief")(xla=True).apply_gradients([(rows, w)])
        assert not is_compiled(tf.get_default_graph())
        session.run(tf.global_variables_initializer())
        session.run(update)
        assert session.run(w)[1, 0] < 1


def test_without_xla_it_is_refused(monkeypatch):
    adabelief = generated("adabelief")
    monkeypatch.setattr(sys.modules[adabelief.__module__], "tf", types.SimpleNamespace(test=None))
    with pytest.raises(RuntimeError, match="xla=True"):
        adabelief(xla=True)
    assert generated("adabelief")().get_config()["xla"] is False


def test_the_option_is_saved():
    optimizer = generated("adabelief")(xla=True)
    assert type(optimizer).from_config(optimizer.get_config()).get_config()["xla"] is True
