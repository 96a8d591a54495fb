"""The reply to a batch, written entry by entry: one output that cannot be written is that event's error and
nobody else's.
"""

from . import journal
from .failure import describe
from .text import write


class Reply:
    """The entries of one call."""

    def __init__(self):
        self._entries = []

    def output(self, index, event):
        """One event that came out of input `index`."""
        self.outputs(index, [event])

    def outputs(self, index, events):
        """All that came out of input `index`: all of it or, when one cannot be written, only the error."""
        try:
            texts = [f'{{"index":{index},"output":{write(event)}}}' for event in events]
        except BaseException as thrown:
            self.error(index, thrown)
        else:
            self._entries += texts

    def error(self, index, thrown):
        """User code threw while it worked on input `index`."""
        found = describe(thrown)
        error = {'message': found.message}
        if found.line > 0:
            error.update(stack=found.stack, line=found.line, column=found.column)
        self._entries.append(f'{{"index":{index},"error":{write(error)}}}')

    def refusal(self, index, message):
        """Input `index` has failed for a reason of ours."""
        self._entries.append(f'{{"index":{index},"error":{write({"message": message})}}}')

    def dropped(self, index):
        """Nothing comes out of input `index`, on purpose."""
        self._entries.append(f'{{"index":{index},"dropped":true}}')

    def finish(self):
        """The whole reply, log lines last."""
        for level, message in journal.lines():
            self._entries.append(f'{{"log":{write({"level": level, "message": message})}}}')
        # Half a surrogate pair has no bytes of its own; as an escape it is JSON again.
        return f'[{",".join(self._entries)}]'.encode('utf-8', 'backslashreplace')
