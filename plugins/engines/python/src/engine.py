"""The `script-engine` world: takes a script, then transforms batches with it."""

import wit_world.exports
from componentize_py_types import Err
from wit_world.exports.script_engine import LoadInfo, ScriptError

from pintle import run, script
from pintle.failure import describe


class ScriptEngine(wit_world.exports.ScriptEngine):
    """What the component exports. Nothing that is raised inside may pass this boundary: that would be a trap."""

    def load(self, ctx, modules, exports, credentials):
        try:
            texts = [(module.name, module.import_name, module.source) for module in modules]
            return LoadInfo(*run.load(ctx.random_seed, texts, credentials))
        except script.Refused as refused:
            raise Err(ScriptError(*refused.fields())) from None
        except BaseException as thrown:
            raise Err(ScriptError(modules[-1].name, describe(thrown).message, 0, 0, '')) from None

    def transform(self, ctx, batch):
        try:
            return run.transform(ctx.random_seed, batch)
        except BaseException as thrown:
            # Only the engine's own failures come here; the host then tries each event alone.
            raise Err(describe(thrown).message) from None
