"""`transformEvent`: every event on its own."""

from . import chance

NOT_AN_OBJECT = 'returned event from transformEvent(event) is not an object'
NOT_AN_OBJECT_IN_LIST = 'returned event in events array from transformEvent(event) is not an object'


def transform_events(handler, inputs, seed_of, metadata, reply):
    """Runs the handler over all inputs and writes their entries, in the order of the inputs."""
    for index, entry in enumerate(inputs):
        chance.use(seed_of(entry, index))
        try:
            value = handler(entry['message'], metadata)
        except BaseException as thrown:
            reply.error(index, thrown)
        else:
            _write(index, value, reply)


def _write(index, value, reply):
    if value is None:
        reply.dropped(index)
    elif isinstance(value, dict):
        reply.output(index, value)
    elif not isinstance(value, (list, tuple)):
        reply.refusal(index, NOT_AN_OBJECT)
    elif not value:
        reply.dropped(index)
    elif all(isinstance(event, dict) for event in value):
        reply.outputs(index, value)
    else:
        reply.refusal(index, NOT_AN_OBJECT_IN_LIST)
