"""What a guest may want to know of a gîte (B-97 ... B-114), in three ways of storing it.

``columns`` is the map: each of the 119 columns of the wide table and its place in both splits.
Everything else is derived from it: how a layout is read and written (``statements``), and how the
rows move from one to another (``moving``). ``values`` is what clients see, the same in all three.
"""
