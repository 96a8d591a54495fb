"""What user code can import: the standard library as far as it is there, and the script's libraries."""

import os
import posix
import sys
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec

from . import scope

#: Ours and the toolchain's: there is nothing in them for user code.
_HIDDEN = ('pintle', 'engine', 'standalone', 'prepared', 'wit_world', 'componentize_py', 'poll_loop', 'tzdata')
#: Came along with others and cannot work: better not there than there and failing late.
_USELESS = ('http.client', 'site', 'socket', 'sysconfig', 'tempfile', 'urllib.request')

_sources = {}


class _Libraries:
    """Finds the script's libraries by name."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return ModuleSpec(name, _Libraries, origin=_sources[name][0]) if name in _sources else None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        file, source = _sources[module.__name__]
        module.__dict__['__builtins__'] = scope.builtins()
        exec(compile(source, file, 'exec', dont_inherit=True), module.__dict__)


class _Nothing:
    """Asked last."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        raise ModuleNotFoundError(
            f'No module named {name!r}: it is neither a library of this transformation nor among the modules that the engine has',
            name=name,
        )


def seal():
    """Closes the interpreter to the outside: from here on nothing is read from anywhere.

    Not done while the component is built, as its glue is imported after us.
    """
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, _Libraries, _Nothing]
    for name in [name for name in sys.modules if name.startswith(_HIDDEN) or name in _USELESS]:
        del sys.modules[name]
    # What the interpreter was built with.
    os.environ.clear()
    sys.argv[:] = ['']
    # Ends the event, not the interpreter.
    os._exit = posix._exit = os.abort = posix.abort = _exit


def _exit(status=0):
    raise SystemExit(status)


def offer(libraries, reserved):
    """Makes `[(file, name, source), …]` importable under their names."""
    _sources.clear()
    for file, name, source in libraries:
        if name == reserved or name in sys.stdlib_module_names or name in sys.modules:
            raise ImportError(f'the library {name!r} has the name of a module of Python itself; give it another one')
        _sources[name] = (file, source)
