"""The target numpy: classes that change arrays in place."""
