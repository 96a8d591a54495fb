import sys
import unittest

from pintle import imports, journal, script
from pintle.failure import describe

FINDERS = list(sys.meta_path)


class Loading(unittest.TestCase):
    def setUp(self):
        journal.begin()
        sys.meta_path[:] = [*FINDERS, imports._Libraries, imports._Nothing]
        self.addCleanup(sys.meta_path.__setitem__, slice(None), FINDERS)
        self.addCleanup(sys.modules.__setitem__, 'builtins', sys.modules['builtins'])
        for name in ('helper', 'other'):
            self.addCleanup(sys.modules.pop, name, None)

    def load(self, source, **libraries):
        return script.load([*[(f'library {name}', name, text) for name, text in libraries.items()], ('t.py', '', source)])

    def refused(self, source, **libraries):
        with self.assertRaises(script.Refused) as caught:
            self.load(source, **libraries)
        return caught.exception

    def test_a_handler_may_leave_out_what_it_does_not_need(self):
        self.assertEqual(self.load('def transformEvent(event):\n  return {"a": event}').handler(1, 2), {'a': 1})
        self.assertEqual(self.load('def transformEvent(event, m):\n  return m').handler(1, 2), 2)
        self.assertEqual(self.load('def transformEvent(*all):\n  return all').handler(1, 2), (1, 2))
        self.assertEqual(self.load('transformBatch = lambda events: events').handler(1, 2), 1)

    def test_exactly_one_handler(self):
        self.assertEqual(self.refused('x = 1').message, 'Expected one of transformEvent,transformBatch. Found no functions')
        self.assertEqual(self.refused('def a(): pass').message, 'Expected one of transformEvent,transformBatch. Found a')
        both = 'def transformEvent(e): pass\ndef transformBatch(e): pass'
        self.assertTrue(self.refused(both).message.endswith('Found transformEvent,transformBatch'))
        self.assertEqual(self.refused('transformEvent = 5').message, 'transformEvent is not a function')

    def test_what_cannot_be_waited_for_is_refused_with_its_line(self):
        self.assertEqual(self.refused('\nasync def transformEvent(e): pass').line, 2)
        self.assertIn('yield', self.refused('def transformEvent(e):\n  yield e').message)

    def test_a_syntax_error_has_its_place_in_utf16_units(self):
        refused = self.refused('def transformEvent(event):\n  é = "日😀"; x = event..y\n')
        self.assertEqual((refused.file, refused.line, refused.column), ('t.py', 2, 24))
        self.assertEqual(refused.message, 'SyntaxError: invalid syntax')
        self.assertTrue(self.refused('def transformEvent(e):\n\tif e:\n        return e').message.startswith('TabError'))

    def test_what_the_top_level_raises_has_its_place(self):
        refused = self.refused('limit = {}\ndef find():\n  return limit["é"]\nfind()\ndef transformEvent(e): pass')
        self.assertEqual((refused.line, refused.column, refused.message), (3, 10, "KeyError: 'é'"))
        self.assertEqual(refused.stack, '    at find (t.py:3:10)\n    at t.py:4:1')

    def test_libraries_are_imported_by_name(self):
        loaded = self.load(
            'from helper import twice\nimport other\ndef transformEvent(e):\n  return twice(e) + other.one',
            helper='def twice(n):\n  return n * 2', other='import helper\none = helper.twice(1)',
        )
        self.assertEqual(loaded.handler(4, None), 10)

    def test_a_library_that_nobody_imports_does_not_run(self):
        self.load('def transformEvent(e): pass', helper='1 / 0')

    def test_what_a_library_does_wrong_is_shown_there(self):
        refused = self.refused('import helper\ndef transformEvent(e): pass', helper='x = 1\ny = x.z')
        self.assertEqual((refused.file, refused.line, refused.column), ('library helper', 2, 5))
        self.assertEqual(refused.stack, '    at library helper:2:5\n    at t.py:1:1')
        refused = self.refused('import helper\ndef transformEvent(e): pass', helper='x = = 1')
        self.assertEqual((refused.file, refused.line, refused.column), ('library helper', 1, 5))

    def test_a_library_cannot_hide_a_module_of_python(self):
        for name in ('json', 'socket', 'transformation'):
            self.assertIn('another one', self.refused('def transformEvent(e): pass', **{name: ''}).message, name)

    def test_a_module_that_is_not_there_is_named(self):
        refused = self.refused('\nimport no_such_module\n')
        self.assertEqual(refused.line, 2)
        self.assertTrue(refused.message.startswith("ModuleNotFoundError: No module named 'no_such_module': it is neither"), refused.message)

    def test_builtins_are_a_copy(self):
        loaded = self.load('import builtins\nbuiltins.len = lambda _: 7\ndef transformEvent(e): return {"n": len(e)}')
        self.assertEqual(loaded.handler([], None), {'n': 7})
        self.assertEqual(len([]), 0)

    def test_what_cannot_be_shown_is_said_to_be_so(self):
        loaded = self.load(
            'class Odd(Exception):\n  def __str__(self): raise self\n'
            'def transformEvent(e):\n  if e: raise Odd\n  raise ValueError("x" * 9999)',
        )
        for argument, message in ((1, 'Odd'), (0, 'ValueError: ' + 'x' * 4084 + '…')):
            try:
                loaded.handler(argument, None)
            except Exception as thrown:
                found = describe(thrown)
            self.assertEqual(found.message, message)

    def test_endless_recursion_shows_the_innermost_frames(self):
        loaded = self.load('def transformEvent(event):\n  return transformEvent(event)')
        try:
            loaded.handler({}, None)
        except RecursionError as thrown:
            found = describe(thrown)
        self.assertEqual(found.stack.count('\n'), 19)
        self.assertEqual((found.line, found.column), (2, 10))
