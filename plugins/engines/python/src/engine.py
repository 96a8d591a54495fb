"""The `script-engine` world: takes a script, then transforms batches with it.

This module and what it imports run once, while the component is built; the interpreter's memory is what every
instance starts from. What is set up here is therefore free at run time, and what a user does to it stays in
that user's instance.
"""

import wit_world
from componentize_py_types import Err
from wit_world.exports.script_engine import LoadInfo, ScriptError

from pintle import chance, imports, journal, preload, scope, script, zones
from pintle.batch import transform_batch
from pintle.events import transform_events
from pintle.failure import describe
from pintle.reply import Reply
from pintle.text import parse

preload.everything()
zones.install()
chance.install()
journal.install()

_script = None


def _begin(inputs):
    journal.begin()
    scope.begin(inputs)


def _answer(ctx, batch):
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
        return f'{ctx.random_seed}/{index if own is None else own}'

    reply = Reply()
    transform = transform_events if _script.name == 'transformEvent' else transform_batch
    transform(_script.handler, inputs, seed_of, scope.metadata, reply)
    return reply.finish()


class ScriptEngine(wit_world.exports.ScriptEngine):
    """What the component exports. Nothing that is raised inside may pass this boundary: that would be a trap."""

    def load(self, ctx, modules, exports, credentials):
        global _script
        imports.seal()
        _begin([])
        chance.use(str(ctx.random_seed))
        try:
            scope.hand_in(credentials)
            _script = script.load([(module.name, module.import_name, module.source) for module in modules])
        except script.Refused as refused:
            raise Err(ScriptError(*refused.fields())) from None
        except BaseException as thrown:
            raise Err(ScriptError(modules[-1].name, describe(thrown).message, 0, 0, '')) from None
        return LoadInfo(_script.name, [message for _, message in journal.lines()])

    def transform(self, ctx, batch):
        try:
            return _answer(ctx, batch)
        except BaseException as thrown:
            # Only the engine's own failures come here; the host then tries each event alone.
            raise Err(describe(thrown).message) from None
