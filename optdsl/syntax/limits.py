"""The limits of a spec: far above what an optimizer needs. What is beyond ends in O105.

A spec of the library has about 2 kB, names of some 20 characters and expressions 10 deep.
"""

#: Bytes of a file: reading takes time in proportion to it, some 10 s per MB at worst.
MAX_FILE_BYTES = 1 << 18

#: Characters of a name: it becomes part of names in Python, of files and of variable scopes.
MAX_NAME = 64

#: Characters of a number: 17 digits say all that a float64 holds.
MAX_NUMBER = 64

#: Levels of an expression, counted in its tree: a sum of n terms has n levels. What walks a tree
#: recursively with up to four Python frames a level stays below Python's own limit of 1000.
MAX_DEPTH = 100

#: Words, numbers and signs of one line, with all that its parentheses hold.
MAX_TOKENS = 2000

#: Blocks inside one another; each `else if` counts as one more.
MAX_BLOCKS = 40

#: Errors after which the rest of a file is not read.
MAX_ERRORS = 1000
