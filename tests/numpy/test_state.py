"""State: saved in the middle of training and taken up again, bit for bit."""

import copy
import json
import os
import pickle

import numpy as np
import pytest

from tests.numpy.helpers import CASES, IDS, bits, cls, make, train


def variables():
    return {"w": np.ones((3, 2)), "narrow": np.ones(4, np.float16), "scalar": np.array(2.0)}


def by_state_dict(optimizer, fresh, path):
    fresh.load_state_dict(optimizer.state_dict())
    return fresh


def by_weights(optimizer, fresh, path):
    fresh.set_weights(optimizer.get_weights())
    return fresh


def by_weights_after_a_step(optimizer, fresh, path):
    train(fresh, variables(), 1, seed=5)
    return by_weights(optimizer, fresh, path)


def by_file(optimizer, fresh, path):
    optimizer.save(path)
    fresh.load(path)
    return fresh


def by_config_and_file(optimizer, fresh, path):
    config = json.loads(json.dumps(optimizer.get_config()))
    return by_file(optimizer, type(optimizer).from_config(config), path)


def by_pickle(optimizer, fresh, path):
    return pickle.loads(pickle.dumps(optimizer))


def by_deepcopy(optimizer, fresh, path):
    return copy.deepcopy(optimizer)


WAYS = [
    by_state_dict, by_weights, by_weights_after_a_step, by_file, by_config_and_file, by_pickle,
    by_deepcopy,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name, setting", CASES, ids=IDS)
def test_training_goes_on_as_if_nothing_had_happened(name, setting, way, tmp_path):
    optimizer, params = make(name, **setting), variables()
    train(optimizer, params, 3)
    restored = way(optimizer, make(name, **setting), str(tmp_path / "state.npz"))
    assert restored.t == 3
    again = {k: x.copy() for k, x in params.items()}
    train(optimizer, params, 3)
    train(restored, again, 3)
    assert bits(again) == bits(params)
    assert bits(restored.state_dict()) == bits(optimizer.state_dict())
    assert bits(restored.get_weights()) == bits(optimizer.get_weights())


def test_the_names_in_a_state_are_the_public_ones():
    optimizer = cls("sgd")(0.1, 0.9)
    optimizer.update({"w": np.ones(2)}, {"w": np.ones(2)})
    state = optimizer.state_dict()
    assert set(state) == {"t", "shared", "slots"} and list(state["slots"]["w"]) == ["momentum"]
    assert isinstance(state["t"], int) and state["t"] == 1


def test_a_state_is_a_copy():
    optimizer, params = cls("adam")(), {"w": np.ones(2)}
    train(optimizer, params, 1)
    state, weights = optimizer.state_dict(), optimizer.get_weights()
    fresh = cls("adam")()
    fresh.load_state_dict(state)
    before = bits(state), bits(weights)
    train(optimizer, params, 1)
    train(fresh, params, 1)
    assert (bits(state), bits(weights)) == before


def test_the_order_of_the_weights():
    optimizer = cls("nadam")()
    train(optimizer, {"a": np.ones(2), "b": np.ones(3)}, 2)
    assert [x.shape for x in optimizer.get_weights()] == [(), (), (2,), (3,), (2,), (3,)]
    assert optimizer.get_weights()[0] == 2


def test_weights_set_before_the_first_step_are_there():
    trained, params = cls("nadam")(), {"w": np.ones(2)}
    train(trained, params, 2)
    fresh = cls("nadam")()
    fresh.set_weights(trained.get_weights())
    assert bits(fresh.get_weights()) == bits(trained.get_weights()) and fresh.t == 2
    with pytest.raises(RuntimeError, match="step"):
        fresh.state_dict()
    fresh.update({"w": np.ones(2)}, {"w": None})  # a step without gradients keeps them
    fresh.set_weights(trained.get_weights())
    fresh.update([np.ones(2)], [None])
    trained.update([np.ones(2)], [None])
    copied = pickle.loads(pickle.dumps(fresh))
    for one in (fresh, copied):
        train(one, {"other key": params["w"].copy()}, 1)
    train(trained, params, 1)
    assert bits(fresh.get_weights()) == bits(trained.get_weights()) == bits(copied.get_weights())


WRONG_WEIGHTS = {
    "one too few": lambda x: x[:-1],
    "one too many": lambda x: [*x, x[-1]],
    "none": lambda x: [],
    "t is not a number": lambda x: [np.array([1, 2]), *x[1:]],
    "another shape": lambda x: [*x[:-1], x[-1][:1]],
}


@pytest.mark.parametrize("change", WRONG_WEIGHTS.values(), ids=list(WRONG_WEIGHTS))
def test_weights_that_do_not_fit(change):
    trained, params = cls("adam")(), {"w": np.ones(2)}
    train(trained, params, 1)
    wrong, before = change([x + 1 for x in trained.get_weights()]), bits(trained.get_weights())
    with pytest.raises((TypeError, ValueError)):
        trained.set_weights(wrong)
    assert bits(trained.get_weights()) == before
    fresh, untouched = cls("adam")(), bits(params)
    with pytest.raises((TypeError, ValueError)):
        fresh.set_weights(wrong)
        train(fresh, params, 1)
    assert bits(params) == untouched


def wrong_states():
    def without(state, *path):
        for key in path[:-1]:
            state = state[key]
        del state[path[-1]]

    yield lambda s: without(s, "t")
    yield lambda s: without(s, "slots", "w", "m")
    yield lambda s: s["slots"]["w"].update(vhat=np.zeros(2))
    yield lambda s: s["shared"].update(p=1.0)
    yield lambda s: s.update(t=1.5)


@pytest.mark.parametrize("spoil", list(wrong_states()))
def test_a_state_that_does_not_fit_changes_nothing(spoil):
    optimizer = cls("adam")()
    train(optimizer, {"w": np.ones(2)}, 2)
    before, state = bits(optimizer.state_dict()), optimizer.state_dict()
    spoil(state)
    with pytest.raises((KeyError, TypeError, ValueError)):
        optimizer.load_state_dict(state)
    assert bits(optimizer.state_dict()) == before


def test_keys_keep_their_types_in_a_file(tmp_path):
    path = tmp_path / "state of ö.npz"
    optimizer = cls("adam")()
    train(optimizer, {"w/x y": np.ones(2), 3: np.ones(1), "3": np.ones(())}, 1)
    optimizer.save(path)
    fresh = cls("adam")()
    fresh.load(path)
    assert list(fresh.state_dict()["slots"]) == ["w/x y", 3, "3"]
    assert os.listdir(str(tmp_path)) == [path.name]
    other = cls("adam")()
    train(other, {(1, 2): np.ones(2)}, 1)
    with pytest.raises(TypeError, match="str or int"):
        other.save(path)


def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch):
    path = str(tmp_path / "state.npz")
    optimizer, params = cls("adam")(), {"w": np.ones(2)}
    train(optimizer, params, 1)
    optimizer.save(path)
    with open(path, "rb") as file:
        before = file.read()

    def interrupted(target, **arrays):
        with open(target, "wb") as file:
            file.write(b"half of it")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupted)
    with pytest.raises(KeyboardInterrupt):
        optimizer.save(path)
    with open(path, "rb") as file:
        assert file.read() == before
    assert os.listdir(str(tmp_path)) == ["state.npz"]


def test_nothing_in_a_file_is_pickled(tmp_path):
    path = str(tmp_path / "state.npz")
    optimizer = cls("nadam")()
    train(optimizer, variables(), 1)
    optimizer.save(path)
    with np.load(path, allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


def test_a_slot_s_initial_value_is_that_of_the_first_application():
    optimizer = cls("adagrad")(initial_accumulator_value=0.25)
    optimizer.update({"w": np.ones(2)}, {"w": np.zeros(2)})
    assert optimizer.state_dict()["slots"]["w"]["accumulator"].tolist() == [0.25, 0.25]
