"""The version of the generator; it stands in the header of every generated file."""

__version__ = "0.1.0"
