"""The functions that a transformation finds in its scope besides the language."""

import builtins as _builtins
import sys
from types import ModuleType

from . import journal

_credentials = {}
_inputs = []
_by_object = None
_by_id = None
_copy = None


def begin(inputs):
    """Starts a call over these inputs."""
    global _inputs, _by_object, _by_id
    _inputs = inputs
    _by_object = _by_id = None


def metadata(event):
    """What is known of an event: found by the object itself, or by its `messageId`."""
    global _by_object, _by_id
    if _by_object is None:
        _by_object, _by_id = {}, {}
        for entry in reversed(_inputs):
            known = entry.get('metadata', {})
            _by_object[id(entry['message'])] = known
            if isinstance(known.get('messageId'), str):
                _by_id[known['messageId']] = known
    found = _by_object.get(id(event))
    if found is None and isinstance(event, dict):
        message_id = event.get('messageId')
        found = _by_id.get(message_id) if isinstance(message_id, str) else None
    return {} if found is None else found


def hand_in(credentials):
    """What `getCredential` knows: `[(key, value), …]`."""
    _credentials.clear()
    _credentials.update(credentials)


def getCredential(key=None):
    """The value of a credential; none for a key that nobody has set."""
    if key is None:
        raise TypeError('Key should be valid and defined')
    return _credentials.get(key) if isinstance(key, str) else None


def builtins():
    """The `builtins` of user code: a copy, so that what it does to them does not reach the engine."""
    global _copy
    if _copy is None:
        _copy = ModuleType('builtins')
        _copy.__dict__.update(_builtins.__dict__)
        _copy.__dict__.update(log=journal.log, metadata=metadata, getCredential=getCredential)
    sys.modules['builtins'] = _copy
    return _copy
