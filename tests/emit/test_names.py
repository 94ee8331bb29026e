import pytest

from optdsl.names import module_name, snake_case


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Adam", "adam"),
        ("AMSGrad", "amsgrad"),
        ("RMSprop", "rmsprop"),
        ("AdamW", "adamw"),
        ("LazyAdam", "lazy_adam"),
        ("SGD", "sgd"),
        ("SGDW", "sgdw"),
        ("SignSGD", "sign_sgd"),
        ("RMSpropTF", "rmsprop_tf"),
        ("RMSpropEpsInside", "rmsprop_eps_inside"),
        ("AdamWDebiased", "adamw_debiased"),
        ("AMSGradDebiased", "amsgrad_debiased"),
        ("RAdam", "radam"),
        ("NovoGrad", "novo_grad"),
        ("adam", "adam"),
        ("My_Adam", "my_adam"),
        ("Adam2", "adam2"),
        ("X", "x"),
        ("_", "_"),
    ],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected


@pytest.mark.parametrize(
    ("optimizer", "spec", "expected"),
    [
        ("NovoGrad", "novograd", "novograd"),
        ("NovoGrad", "novo_grad", "novo_grad"),
        ("NovoGrad", "mine", "novo_grad"),
        ("NovoGrad", "NovoGrad", "novo_grad"),
        ("Init", "__init__", "init"),
        ("Adam", "", "adam"),
    ],
)
def test_the_spec_file_may_spell_the_module(optimizer, spec, expected):
    assert module_name(optimizer, spec, ()) == expected


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [("Numpy", "numpy_"), ("Tensorflow", "tensorflow_"), ("Lambda", "lambda_"), ("Adam", "adam")],
)
def test_keywords_and_imported_modules_get_an_underscore(optimizer, expected):
    assert module_name(optimizer, optimizer.lower(), {"numpy", "tensorflow"}) == expected
