"""The target keras_v2 on specs that hold what the library does not."""

import ast
import inspect

import numpy as np
import pytest

import optdsl
from optdsl.oracle import FLOAT64, Oracle, Sparse
from tests.targets.test_numpy import CASES, HOSTILE, IDS, resolved

tf = pytest.importorskip("tensorflow", reason="the generated classes need TensorFlow to run")
pytestmark = pytest.mark.tf


def variable(value):
    return tf.Variable(np.array(value, "float64"))


def gradient(values, indices):
    return tf.IndexedSlices(tf.constant(values), tf.constant(indices))


@pytest.mark.parametrize("is_sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("spec, chosen", CASES, ids=IDS)
def test_the_generated_class_does_what_the_oracle_does(spec, chosen, is_sparse):
    generated = optdsl.load(spec, "keras_v2")
    public = generated(**chosen).get_config()
    optimizer, oracle = generated(**chosen), Oracle(resolved(spec), chosen, "keras_v2", FLOAT64)
    assert set(chosen) <= set(public)
    rng = np.random.RandomState(0)
    start = {"w": rng.standard_normal((5, 2)), "v": rng.standard_normal((5, 2))}
    variables = {k: tf.Variable(x) for k, x in start.items()}
    state = oracle.start({k: x.copy() for k, x in start.items()})
    for step in range(6):
        dense = {k: rng.standard_normal((5, 2)) for k in start}
        mine = {k: tf.constant(x) for k, x in dense.items()}
        theirs = dict(dense)
        if is_sparse:
            indices = rng.randint(0, 5, 3)[: 0 if step == 3 else 3]
            values = rng.standard_normal((len(indices), 2))
            mine["w"], theirs["w"] = gradient(values, indices), Sparse(indices, values)
        optimizer.apply_gradients([(mine[k], variables[k]) for k in start])
        state = oracle.step(state, theirs)
        for key, want in state.variables.items():
            w = variables[key]
            found = {n: optimizer.get_slot(w, n).numpy() for n in optimizer.get_slot_names()}
            found["w"] = w.numpy()
            assert set(found) == set(want)
            for name, x in want.items():
                np.testing.assert_allclose(found[name], x, rtol=1e-10, atol=1e-12, err_msg=name)
        shared = {n: v.numpy() for n, v in optimizer._shared.items()}
        shared.pop("steps", None)  # a count of its own, where a decision depends on the step
        assert shared == pytest.approx({k: float(x) for k, x in state.shared.items()})


def test_initial_values_made_of_the_variable():
    spec = """optimizer Starts {
  const k = 2
  slot origin = k*w
  slot length: scalar = norm(w)
  update { w -= 0*g*origin*length }
}
"""
    optimizer, w = optdsl.load(spec, "keras_v2")(k=3), variable([3, 4])
    w.assign([6, 8])  # what the variable is when it is first applied
    optimizer.apply_gradients([(tf.ones(2, tf.float64), w)])
    assert optimizer.get_slot(w, "origin").numpy().tolist() == [18, 24]
    assert optimizer.get_slot(w, "length").numpy() == 10


def test_initial_value_made_of_the_variable_in_a_session():
    spec = "optimizer Origin {\n  slot origin = w\n  update { w = origin - g }\n}\n"
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", initializer=[1.0, 2.0], use_resource=True)
        optimizer = optdsl.load(spec, "keras_v2")()
        update = optimizer.apply_gradients([(tf.constant([1.0, 1.0]), w)])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run([update])
        session.run([update])
        assert session.run(w).tolist() == [0.0, 1.0]


RESERVED = """optimizer tf {
  hyper lambda = 0.5 as weights in [0, inf)
  hyper iterations = 0.5 as name in [0, 1]
  const np = 2.5 as _hyper
  flag clipnorm = false as lr
  slot w_ as w, self, dtype, others, keras
  shared copy as iter = 1
  update {
    let float = lambda*iterations
    let None = np*float
    copy += 1
    self = None*g
    dtype = self*copy
    others = dtype
    keras = where(clipnorm, others, 0)
    w_ = keras
    w -= float*g + 0*w_
  }
}
"""


def test_names_that_python_tensorflow_or_keras_need_themselves():
    generated = optdsl.load(RESERVED, "keras_v2")
    assert generated.__name__ == "tf_"
    names = list(inspect.signature(generated).parameters)
    assert names == ["weights_", "name_", "hyper", "lr_", "name", "kwargs"]
    optimizer, w = generated(name_=0.25, lr_=True), variable([0.0, 0.0])
    optimizer.apply_gradients([(tf.ones(2, tf.float64), w)])
    assert w.numpy() == pytest.approx(-0.5 * 0.25)
    assert optimizer.get_slot(w, "w_").numpy() == pytest.approx(2.5 * 0.125 * 2)
    assert [v.name.rpartition("/")[2] for v in optimizer.weights[:2]] == ["iter:0", "iter_:0"]
    assert generated.from_config(optimizer.get_config()).get_config() == optimizer.get_config()


def test_conventional_names():
    spec = """optimizer Named {
  hyper lr = 0.1
  hyper b1 = 0.2
  hyper eps = 0.3 as tiny
  hyper wd = 0.4
  slot weight_decay
  update { weight_decay = b1*g + eps  w -= lr*weight_decay + wd*w }
}
""".replace("+ eps  w", "+ eps\n w")
    names = list(inspect.signature(optdsl.load(spec, "keras_v2")).parameters)
    assert names[:4] == ["learning_rate", "beta_1", "tiny", "weight_decay"]


def test_a_conventional_name_that_is_taken():
    spec = """optimizer Taken {
  hyper lr = 0.1
  hyper rate = 0.2 as learning_rate
  update { w -= lr*rate*g }
}
"""
    names = list(inspect.signature(optdsl.load(spec, "keras_v2")).parameters)
    assert names[:2] == ["lr_", "learning_rate"]


def test_arguments_without_a_default_computed_defaults_and_the_order():
    spec = """optimizer Arguments {
  hyper lr = 0.1 as rate in [0, inf)
  hyper mu as momentum in [0, 1)
  const k: int = 2 as count in [1, 10]
  const n: int = 3*k
  const share = n/4
  flag good = true
  slot v
  update {
    v = mu*v + g
    if good { w -= lr*v*share + 0*k*n }
  }
  for keras_v2 {
    class Ordered
    k = 4
    lr as speed
    good = false
    order good, name, speed
  }
}
"""
    generated = optdsl.load(spec, "keras_v2")
    assert generated.__name__ == "Ordered"
    names = list(inspect.signature(generated).parameters)
    assert names == ["momentum", "good", "name", "speed", "count", "n", "share", "kwargs"]
    assert generated(0.5).get_config() == {
        "name": "Ordered", "speed": 0.1, "momentum": 0.5,
        "count": 4, "n": 12, "share": 3.0, "good": False,
    }  # fmt: skip
    assert generated(0.5, speed=3, n=8).share == 2.0
    assert type(generated(0.5, count=np.float64(3)).count) is int
    for wrong, error in [(2.5, ValueError), (11, ValueError), ("2", TypeError)]:
        with pytest.raises(error, match="count"):
            generated(0.5, count=wrong)
    with pytest.raises(TypeError):
        generated()


@pytest.mark.parametrize("keyword", ["lr", "decay"])
def test_no_learning_rate_no_alias(keyword):
    spec = "optimizer Fixed {\n  hyper speed = 0.1\n  update { w -= speed*g }\n}\n"
    generated = optdsl.load(spec, "keras_v2")
    with pytest.raises(TypeError, match=f"Unexpected keyword argument.*{keyword}"):
        generated(**{keyword: 0.5})
    assert "decay" not in generated().get_config()


def test_what_a_plain_attribute_may_be():
    spec = "optimizer Eps {\n  hyper eps = 0.5 in (0, inf)\n  update { w -= g/eps }\n}\n"
    generated = optdsl.load(spec, "keras_v2")
    for given in (0.25, lambda: 0.25, tf.constant(0.25), tf.Variable(0.25)):
        w, optimizer = variable([0.0]), generated(given)
        optimizer.apply_gradients([(tf.ones(1, tf.float64), w)])
        assert w.numpy().tolist() == [-4.0]
        assert optimizer.get_config()["epsilon"] == 0.25
        optimizer.epsilon = 0.125
        optimizer.apply_gradients([(tf.ones(1, tf.float64), w)])
        assert w.numpy().tolist() == [-12.0]


def test_documentation_stays_documentation():
    text = optdsl.generate(HOSTILE, "keras_v2")
    doc = inspect.getdoc(optdsl.load(HOSTILE, "keras_v2"))
    assert "ends in a backslash \\ and {{ braces }} {% raw %}" in doc
    assert "import os; os.system('true') {{ v }} \\n \\" in doc
    (found,) = (x for x in ast.parse(text).body if isinstance(x, ast.ClassDef))
    assert ast.get_docstring(found) == doc


def test_one_class_of_a_name_after_the_other_can_be_deserialized():
    spec = "optimizer Twice {\n  hyper lr = 0.1\n  update { w -= lr*g }\n}\n"
    first, second = optdsl.load(spec, "keras_v2"), optdsl.load(spec, "keras_v2")
    keras = inspect.getmodule(second).keras
    assert first is not second
    assert type(keras.optimizers.deserialize(keras.optimizers.serialize(second()))) is second


#: As in RESERVED, one slot is made of another.
FED = """optimizer Fed {
  hyper lr = 0.1
  slot m, v
  update {
    m = max(m, g)
    v = 0.9*v + (g - m)^2
    w -= lr*v
  }
}
"""


def test_the_machinery_is_the_same_text_in_every_file():
    mark = "# From here on the text is the same"
    specs = (FED, RESERVED)
    ends = [optdsl.generate(spec, "keras_v2").split(mark)[1] for spec in specs]
    heads = [end.split("\ndef _unpickle")[0] for end in ends]
    assert heads[0] == heads[1] and len(heads[0].splitlines()) > 100
