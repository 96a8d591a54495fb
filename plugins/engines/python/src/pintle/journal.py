"""What user code logs and prints, kept as bounded log lines of the call."""

import io
import logging
import sys

from .text import write

#: Characters of one line, and of all lines of a call.
LINE_CHARS_MAX = 8 * 1024
CALL_CHARS_MAX = 64 * 1024

_lines = []
_chars = 0
_full = False


def begin():
    """Starts a call with no lines."""
    global _lines, _chars, _full
    _lines, _chars, _full = [], 0, False
    for stream in (_out, _err):
        stream.forget()


def lines():
    """`(level, message)` of every line of the call, oldest first."""
    for stream in (_out, _err):
        stream.end_line()
    return _lines


def record(level, message):
    """Adds a line, or drops it when the call has logged too much."""
    global _chars, _full
    if _full:
        return
    if len(message) > LINE_CHARS_MAX:
        message = message[:LINE_CHARS_MAX] + '…'
    if _chars + len(message) > CALL_CHARS_MAX:
        _full = True
        level, message = 'warn', f'more than {CALL_CHARS_MAX} characters were logged in one call; the rest is left out'
    _chars += len(message)
    _lines.append((level, message))


def log(*args):
    """Strings as they are, objects as JSON."""
    record('info', ' '.join([_shown(arg) for arg in args]))


def _shown(value):
    if isinstance(value, str):
        return value
    try:
        if isinstance(value, BaseException):
            return f'{type(value).__name__}: {value}'
        return write(value)
    except Exception:
        pass
    try:
        return str(value)
    except Exception:
        # Logging must not fail an event.
        return '[cannot be shown]'


class _Stream(io.TextIOBase):
    """A standard stream whose lines become log lines."""

    encoding = 'utf-8'
    errors = 'replace'

    def __init__(self, level):
        self._level = level
        self._open = ''

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f'write() argument must be str, not {type(text).__name__}')
        *whole, rest = text.split('\n')
        for line in whole:
            self._put(line)
            self.end_line()
        self._put(rest)
        return len(text)

    def _put(self, text):
        # Beyond the limit of a line only whether there is more matters.
        self._open += text[: LINE_CHARS_MAX + 1 - len(self._open)]

    def end_line(self):
        if self._open:
            record(self._level, self._open)
        self._open = ''

    def forget(self):
        self._open = ''

    def close(self):
        """Stays open: there are more events to come."""


_out = _Stream('info')
_err = _Stream('error')
_emit = logging.StreamHandler.emit


def _emit_with_level(handler, entry):
    """What `logging` would write to a standard stream keeps its own level."""
    if handler.stream not in (_out, _err):
        return _emit(handler, entry)
    for least, level in ((logging.ERROR, 'error'), (logging.WARNING, 'warn'), (logging.INFO, 'info'), (0, 'debug')):
        if entry.levelno >= least:
            return record(level, handler.format(entry))


def install():
    """Puts them where Python looks for them."""
    sys.stdin = sys.__stdin__ = io.StringIO('')
    sys.stdout = sys.__stdout__ = _out
    sys.stderr = sys.__stderr__ = _err
    logging.StreamHandler.emit = _emit_with_level
