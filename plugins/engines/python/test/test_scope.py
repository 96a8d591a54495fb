import sys
import unittest
from contextlib import redirect_stderr, redirect_stdout

from pintle import journal, scope


class Journal(unittest.TestCase):
    def setUp(self):
        journal.begin()

    def test_values_are_shown_as_javascript_would(self):
        journal.log('hello', {'a': [1, None, True]}, 1.5, None, ValueError('no'), {1})
        self.assertEqual(journal.lines(), [('info', 'hello {"a":[1,null,true]} 1.5 null ValueError: no {1}')])

    def test_what_cannot_be_shown_hurts_nobody(self):
        class Odd:
            def __str__(self):
                raise ValueError

        journal.log(Odd())
        self.assertEqual(journal.lines(), [('info', '[cannot be shown]')])

    def test_lines_and_calls_are_bounded(self):
        journal.log('x' * 9000)
        self.assertEqual(len(journal.lines()[0][1]), journal.LINE_CHARS_MAX + 1)
        for _ in range(1000):
            journal.log('y' * 1000)
        level, message = journal.lines()[-1]
        self.assertEqual(level, 'warn')
        self.assertIn('left out', message)
        self.assertLess(len(journal.lines()), 70)

    def test_printed_lines_are_log_lines_in_order(self):
        with redirect_stdout(journal._out), redirect_stderr(journal._err):
            print('one')
            journal.log('two')
            print('three', end='')
            print(' and\n\nfour')
            print('z' * 10**6, file=sys.stderr)
            print('rest', end='')
            sys.stdout.close()
        lines = journal.lines()
        self.assertEqual([line for line in lines if line[0] == 'info'], [
            ('info', 'one'), ('info', 'two'), ('info', 'three and'), ('info', 'four'), ('info', 'rest'),
        ])
        self.assertEqual([len(message) for level, message in lines if level == 'error'], [journal.LINE_CHARS_MAX + 1])


class Credentials(unittest.TestCase):
    def test_a_key_is_needed(self):
        with self.assertRaisesRegex(TypeError, 'Key should be valid and defined'):
            scope.getCredential(None)
        scope.hand_in([('token', 's3cret')])
        self.addCleanup(scope.hand_in, [])
        self.assertEqual([scope.getCredential(key) for key in ('token', 'other', [1])], ['s3cret', None, None])
