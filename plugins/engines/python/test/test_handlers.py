import json
import unittest

from pintle import journal, scope
from pintle.batch import transform_batch
from pintle.events import transform_events
from pintle.reply import Reply


def inputs(*ids):
    return [{'message': {'messageId': id}, 'metadata': {'messageId': id, 'sourceId': f's-{id}'}} for id in ids]


def run(transform, handler, batch):
    journal.begin()
    scope.begin(batch)
    reply = Reply()
    transform(handler, batch, lambda _, index: f's/{index}', scope.metadata, reply)
    return json.loads(reply.finish())


def per_event(handler, batch):
    return run(transform_events, handler, batch)


def as_batch(handler, batch):
    return run(transform_batch, handler, batch)


class PerEvent(unittest.TestCase):
    def test_what_is_returned_decides(self):
        returned = {
            'a': None, 'b': [], 'c': [{'n': 1}, {'n': 2}], 'd': 5, 'e': [{'n': 1}, 'x'], 'f': [{'n': 1}, {'n': {1}}],
            'g': {'n': 1},
        }
        found = per_event(lambda event, _: returned[event['messageId']], inputs(*returned))
        self.assertEqual(found, [
            {'index': 0, 'dropped': True},
            {'index': 1, 'dropped': True},
            {'index': 2, 'output': {'n': 1}},
            {'index': 2, 'output': {'n': 2}},
            {'index': 3, 'error': {'message': 'returned event from transformEvent(event) is not an object'}},
            {'index': 4, 'error': {'message': 'returned event in events array from transformEvent(event) is not an object'}},
            {'index': 5, 'error': {'message': 'TypeError: Object of type set is not JSON serializable'}},
            {'index': 6, 'output': {'n': 1}},
        ])

    def test_what_an_event_raises_is_its_own(self):
        def handler(event, metadata):
            if event['messageId'] == 'b':
                raise SystemExit(3)
            return event

        found = per_event(handler, inputs('a', 'b', 'c'))
        self.assertEqual([entry['index'] for entry in found if 'output' in entry], [0, 2])
        self.assertEqual(found[1], {'index': 1, 'error': {'message': 'SystemExit: 3'}})

    def test_a_cycle_costs_one_event_and_not_the_next_one_with_the_same_object(self):
        shared = {'n': 1}
        knot = {'shared': shared}
        knot['self'] = knot
        returned = {'a': knot, 'b': {'shared': shared}, 'c': {'n': float('nan')}, 'd': {'n': 10**400}}
        found = per_event(lambda event, _: returned[event['messageId']], inputs(*returned))
        self.assertIn('Circular reference', found[0]['error']['message'])
        self.assertEqual(found[1]['output'], {'shared': {'n': 1}})
        self.assertTrue(found[2]['error']['message'].startswith('ValueError'), found[2])
        self.assertEqual(found[3]['output'], {'n': 10**400})

    def test_half_a_surrogate_pair_is_an_escape(self):
        reply = Reply()
        reply.output(0, {'a': 'é\ud83d日'})
        self.assertEqual(reply.finish(), '[{"index":0,"output":{"a":"é\\ud83d日"}}]'.encode())

    def test_metadata_is_found_by_object_and_by_id(self):
        def handler(event, metadata):
            other = {'messageId': event['messageId'], 'changed': True}
            return {'own': metadata(event)['sourceId'], 'copy': metadata(other)['sourceId'], 'none': metadata({}), 'no': metadata(7)}

        found = per_event(handler, inputs('a', 'b'))
        self.assertEqual(found[1]['output'], {'own': 's-b', 'copy': 's-b', 'none': {}, 'no': {}})


class Batch(unittest.TestCase):
    def test_results_answer_the_inputs_with_their_id(self):
        found = as_batch(lambda events, _: [events[2], events[0], {'messageId': 'new'}], inputs('a', 'b', 'c'))
        self.assertEqual([(entry['index'], 'dropped' in entry) for entry in found], [(2, False), (0, False), (2, False), (1, True)])

    def test_the_same_id_twice_is_answered_in_order(self):
        found = as_batch(lambda events, _: [*events, dict(events[0])], inputs('a', 'a', 'b'))
        self.assertEqual([entry['index'] for entry in found], [0, 1, 2, 1])

    def test_what_the_batch_raises_is_everybodys(self):
        def handler(events, metadata):
            raise ValueError('no')

        found = as_batch(handler, inputs('a', 'b'))
        self.assertEqual([entry['error']['message'] for entry in found], ['ValueError: no'] * 2)

    def test_no_list_and_no_object(self):
        found = as_batch(lambda events, _: events[0], inputs('a', 'b'))
        self.assertEqual({entry['error']['message'] for entry in found}, {'returned events from transformBatch(event) is not an array'})
        found = as_batch(lambda events, _: [events[0], 5], inputs('a', 'b'))
        self.assertEqual(found[1], {
            'index': 1, 'error': {'message': 'returned event in events array from transformBatch(events) is not an object'},
        })

    def test_nothing_in_nothing_out(self):
        self.assertEqual(as_batch(lambda events, _: 1 / 0, []), [])
