import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describe as describeError, userFiles } from '../src/failure.js';

userFiles([{ address: 'transformation.js', name: 'transformation.js' }, { address: 'my_lib.js#0', name: 'my lib.js' }]);

// What SpiderMonkey writes; Node lets a test put it on an error.
const thrown = (stack) => Object.assign(new TypeError('x is undefined'), { stack });

test('frames of the user stay, frames of the engine go', () => {
  const stack = 'help@transformation.js:3:5\nasync*transformEvent@transformation.js:9:12\ncall@src/events.js:48:19\nadd@my_lib.js#0:1:2\n';
  assert.deepEqual(describeError(thrown(stack)), {
    message: 'TypeError: x is undefined',
    stack: '    at help (transformation.js:3:5)\n    at transformEvent (transformation.js:9:12)\n    at add (my lib.js:1:2)',
    file: 'transformation.js',
    line: 3,
    column: 5,
  });
});

test('functions without a name are shown by their place', () => {
  const { stack } = describeError(thrown('transformBatch/<@transformation.js:2:37\n@transformation.js:1:1\nouter/inner@transformation.js:4:4'));
  assert.equal(stack, '    at transformation.js:2:37\n    at transformation.js:1:1\n    at inner (transformation.js:4:4)');
});

test('a stack that is none is no stack', () => {
  for (const stack of ['', 'nonsense', '@:::', 'f@transformation.js', 7, undefined]) {
    assert.equal(describeError(thrown(stack)).line, 0);
  }
});

test('anything can be thrown', () => {
  const message = (value) => describeError(value).message;
  assert.equal(message('text'), 'text');
  assert.equal(message(undefined), 'undefined');
  assert.equal(message({ code: 5 }), '{"code":5}');
  assert.equal(message({ name: 'FetchError', message: 'no' }), 'FetchError: no');
  assert.equal(message(new RangeError('')), 'RangeError');
  assert.equal(message(Symbol('s')), 'Symbol(s)');
  const hostile = new Proxy({}, { get: () => { throw new Error('trap'); } });
  assert.equal(message(hostile), 'something was thrown that cannot be shown');
  assert.equal(message('x'.repeat(10_000)).length, 4097);
});
