"""Turns source texts into a handler."""

import linecache
import sys
from types import FunctionType, ModuleType

from . import failure, imports, scope

HANDLERS = ('transformEvent', 'transformBatch')
#: What the user's module is called inside Python.
MODULE = 'transformation'

_EXPECTED = 'Expected one of transformEvent,transformBatch. Found '
_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


class Refused(Exception):
    """A script that does not load, and where."""

    def __init__(self, file, message, line=0, column=0, stack=''):
        super().__init__(message)
        self.file, self.message, self.line, self.column, self.stack = file, message, line, column, stack

    def fields(self):
        return self.file, self.message, self.line, self.column, self.stack


class Script:
    """A loaded script: which handler it has, as a function of `(event or events, metadata)`."""

    def __init__(self, name, handler):
        self.name, self.handler = name, handler


def load(modules):
    """Runs `[(file, import name, source), …]`: the last one is the user's, those before it are libraries for it
    to import.
    """
    file, _, source = modules[-1]
    failure.user_files([(name, text) for name, _, text in modules])
    for name, _, text in modules:
        # Tracebacks that user code formats itself show its lines.
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    try:
        imports.offer(modules[:-1], reserved=MODULE)
    except ImportError as conflict:
        raise Refused(file, str(conflict)) from None

    module = ModuleType(MODULE)
    module.__dict__['__builtins__'] = scope.builtins()
    sys.modules[MODULE] = module
    try:
        exec(compile(source, file, 'exec', dont_inherit=True), module.__dict__)
    except BaseException as thrown:
        raise _refused(thrown, file) from None
    return _script(module, file)


def _refused(thrown, file):
    found = failure.describe_load(thrown)
    return Refused(found.file or file, found.message, found.line, found.column, found.stack)


def _script(module, file):
    names = [name for name in HANDLERS if name in module.__dict__]
    if len(names) == 2:
        raise Refused(file, _EXPECTED + ','.join(HANDLERS))
    if not names:
        own = [name for name, value in module.__dict__.items() if isinstance(value, FunctionType)]
        raise Refused(file, _EXPECTED + (','.join(own) or 'no functions'))
    [name] = names
    handler = module.__dict__[name]
    if not callable(handler):
        raise Refused(file, f'{name} is not a function')
    return Script(name, _fitted(name, handler, file))


def _fitted(name, handler, file):
    """The handler, taking two arguments whether its author wrote down the second or not."""
    if not isinstance(handler, FunctionType):
        return handler
    code = handler.__code__
    line = code.co_firstlineno if failure.is_user_file(code.co_filename) else 0
    if code.co_flags & (_COROUTINE | _ASYNC_GENERATOR):
        raise Refused(file, f'{name} is async; write it with `def`, as there is nothing to wait for', line)
    if code.co_flags & _GENERATOR:
        raise Refused(file, f'{name} is a generator; return a list instead of using `yield`', line)
    takes_one = code.co_argcount == 1 and not code.co_flags & 0x04
    return (lambda event, metadata: handler(event)) if takes_one else handler
