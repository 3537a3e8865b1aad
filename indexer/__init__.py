"""The engine of 医问. Its front door is __init__.pyi; what is not there may change.

A name's module is loaded when it is first asked for (SPEC 1 of Scientific Python): importing `indexer` costs nothing.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
