"""What the docstrings of both targets for TensorFlow say alike."""

#: The argument `overrides`.
OVERRIDES = (
    'overrides: Of some variables: {pattern of names: {hyperparameter: number or "*factor"}}.'
)
