"""Errors of user code, as the user should see them: message, the frames of their own files, position.

Columns are counted in UTF-16 units from 1, as in editors; Python counts bytes.
"""

from collections import deque
from itertools import islice

MESSAGE_CHARS_MAX = 4096
FRAMES_MAX = 20
UNKNOWN = 'something was raised that cannot be shown'

_lines = {}


class Failure:
    """What there is to say about something that was raised."""

    def __init__(self, message, frames=()):
        self.message = message
        self.stack = '\n'.join(_shown(*frame) for frame in frames)
        _, self.file, self.line, self.column = frames[0] if frames else ('', None, 0, 0)


def user_files(modules):
    """Takes note of `[(file, source), …]`: frames elsewhere are the engine's and are left out."""
    _lines.clear()
    for file, source in modules:
        _lines[file] = source.split('\n')


def is_user_file(file):
    return file in _lines


def describe(thrown):
    """The message, and the frames of user code, innermost first."""
    try:
        return Failure(_message(thrown), _frames(thrown))
    except BaseException:
        return Failure(UNKNOWN)


def describe_load(thrown):
    """As `describe`, for what went wrong while a module was loaded: a syntax error has a place but no frame."""
    try:
        if isinstance(thrown, SyntaxError) and thrown.filename in _lines and thrown.lineno:
            column = _characters(_line(thrown.filename, thrown.lineno), (thrown.offset or 1) - 1)
            found = Failure(_cut(f'{type(thrown).__name__}: {thrown.msg}'))
            found.file, found.line, found.column = thrown.filename, thrown.lineno, column
            return found
    except BaseException:
        pass
    return describe(thrown)


def _message(thrown):
    name = type(thrown).__name__
    try:
        said = str(thrown)
    except BaseException:
        said = ''
    return _cut(f'{name}: {said}' if said else name)


def _cut(message):
    return message if len(message) <= MESSAGE_CHARS_MAX else message[:MESSAGE_CHARS_MAX] + '…'


def _frames(thrown):
    found = deque(maxlen=FRAMES_MAX)
    traceback = thrown.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename in _lines:
            found.appendleft((code, traceback.tb_lineno, traceback.tb_lasti))
        traceback = traceback.tb_next
    return [(_name(code), code.co_filename, line, _column(code, line, at)) for code, line, at in found]


def _column(code, line, at):
    position = next(islice(code.co_positions(), at // 2, None), None)
    if position is None or position[2] is None:
        return 1
    before = _line(code.co_filename, position[0] or line).encode('utf-8', 'surrogatepass')[: position[2]]
    return _units(before.decode('utf-8', 'ignore')) + 1


def _characters(line, count):
    return _units(line[:count]) + 1


def _units(text):
    return len(text.encode('utf-16-le', 'surrogatepass')) // 2


def _line(file, number):
    lines = _lines[file]
    return lines[number - 1] if 0 < number <= len(lines) else ''


def _name(code):
    """`inner` of `outer.<locals>.inner`; nothing for a module, a lambda and the like."""
    name = code.co_qualname.rpartition('<locals>.')[2]
    return '' if '<' in name else name


def _shown(name, file, line, column):
    place = f'{file}:{line}:{column}'
    return f'    at {name} ({place})' if name else f'    at {place}'
