"""The `transformation` world: one script, which the build writes beside this file as `prepared.py`.

It is loaded with the first call and not while the component is built: then its imports find what they find on
the engine, neither less nor more.
"""

import prepared
import wit_world.exports
from componentize_py_types import Err

from pintle import run, script
from pintle.failure import describe


class Transformation(wit_world.exports.Transformation):
    """What the component exports. Nothing that is raised inside may pass this boundary: that would be a trap."""

    def transform(self, ctx, batch):
        try:
            if not run.is_loaded():
                run.load(prepared.RANDOM_SEED, prepared.MODULES, [])
            return run.transform(ctx.random_seed, batch)
        except script.Refused as refused:
            file, message, line, column, _ = refused.fields()
            raise Err(f'{file}:{line}:{column}: {message}' if line else f'{file}: {message}') from None
        except BaseException as thrown:
            # Only the engine's own failures come here; the host then tries each event alone.
            raise Err(describe(thrown).message) from None
