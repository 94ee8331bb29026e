"""The optimizers that are compared, a file for each framework or way of writing them.

Each file has CONTESTANTS: dicts with

- name: as in the tables.
- rules: the names of the rules of `race/rules.py` that it can do.
- make(rule, params): of the parameters, a list of NumPy arrays, it makes (step, read).
  step(gradients) takes one step; read() returns the parameters as NumPy arrays.
- models: the models that it takes part in; all of them where it is missing.
- missing: why it cannot take part, or None.

Where gradients are not NumPy arrays and `Rows`, the file has `convert`, which makes the framework's
own of them before the clock runs. Where the framework is not installed, importing the file raises
an ImportError.
"""
