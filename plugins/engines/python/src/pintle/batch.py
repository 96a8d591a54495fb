"""`transformBatch`: all events of a call at once, and then finding out which result answers which input."""

from . import chance

NOT_A_LIST = 'returned events from transformBatch(event) is not an array'
NOT_AN_OBJECT = 'returned event in events array from transformBatch(events) is not an object'


def transform_batch(handler, inputs, seed_of, metadata, reply):
    """Runs the handler once over all inputs and writes the entries."""
    if not inputs:
        return
    input_of = _matcher(inputs)
    # One call, one stream: that of its first event.
    chance.use(seed_of(inputs[0], 0))
    try:
        value = handler([entry['message'] for entry in inputs], metadata)
    except BaseException as thrown:
        for index in range(len(inputs)):
            reply.error(index, thrown)
        return
    if isinstance(value, (list, tuple)):
        _write(value, inputs, input_of, reply)
    else:
        for index in range(len(inputs)):
            reply.refusal(index, NOT_A_LIST)


def _write(events, inputs, input_of, reply):
    answered = set()
    for place, event in enumerate(events):
        if isinstance(event, dict):
            index = input_of(event)
            reply.output(index, event)
        else:
            # It carries no messageId; its place is the best guess when nothing was added or left out.
            index = place if len(events) == len(inputs) else len(inputs) - 1
            reply.refusal(index, NOT_AN_OBJECT)
        answered.add(index)
    for index in range(len(inputs)):
        if index not in answered:
            reply.dropped(index)


def _matcher(inputs):
    """Finds the input that a result answers: by `messageId`, the n-th result with an id for the n-th input
    with it; a result with an id of its own answers the last input, so that it is never settled early.
    """
    last = len(inputs) - 1
    waiting = {}
    for index in range(last, -1, -1):
        message_id = inputs[index]['message'].get('messageId')
        if isinstance(message_id, str):
            waiting.setdefault(message_id, []).append(index)

    def input_of(event):
        message_id = event.get('messageId')
        indexes = waiting.get(message_id) if isinstance(message_id, str) else None
        if not indexes:
            return last
        # The last one stays: more results than inputs with the id all belong to it.
        return indexes.pop() if len(indexes) > 1 else indexes[0]

    return input_of
