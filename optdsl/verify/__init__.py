"""The proof: a generated class and the oracle side by side, measured against an error bound."""
