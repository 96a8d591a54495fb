"""One loaded script, and calls of it: what the engine and a stand-alone transformation have in common.

This module and what it imports run once, while the component is built; the interpreter's memory is what every
instance starts from. What is set up here is therefore free at run time, and what a user does to it stays in
that user's instance.
"""

from . import chance, imports, journal, preload, scope, script, zones
from .batch import transform_batch
from .events import transform_events
from .reply import Reply
from .text import parse

preload.everything()
zones.install()
chance.install()
journal.install()

_script = None


def is_loaded():
    return _script is not None


def load(random_seed, modules, credentials):
    """Takes a script: `[(file, import name, source), …]`, libraries first. Returns what it logged meanwhile."""
    global _script
    imports.seal()
    _begin([])
    chance.use(str(random_seed))
    scope.hand_in(credentials)
    _script = script.load(modules)
    return _script.name, [message for _, message in journal.lines()]


def transform(random_seed, batch):
    """The reply to a batch, as bytes."""
    if _script is None:
        raise RuntimeError('no script has been loaded')
    inputs = parse(batch)
    _begin(inputs)

    def seed_of(entry, index):
        own = entry.get('seed')
        if own is None:
            own = entry.get('metadata', {}).get('messageId')
        if own is None:
            own = entry['message'].get('messageId')
        return f'{random_seed}/{index if own is None else own}'

    reply = Reply()
    each = transform_events if _script.name == 'transformEvent' else transform_batch
    each(_script.handler, inputs, seed_of, scope.metadata, reply)
    return reply.finish()


def _begin(inputs):
    journal.begin()
    scope.begin(inputs)
