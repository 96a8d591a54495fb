// What user code logs, kept as bounded log lines of the call.

import { defineProperty, stringify, toText, slice } from './intrinsics.js';

/** Characters of one line, and of all lines of a call. */
const LINE_CHARS_MAX = 8 * 1024;
const CALL_CHARS_MAX = 64 * 1024;

/** Lines of the call, newest first, as a linked list. */
let last = null;
let chars = 0;
let full = false;

/** Starts a call with no lines. */
export function begin() {
  last = null;
  chars = 0;
  full = false;
}

/** Calls `each(level, message)` for every line of the call, oldest first. */
export function lines(each) {
  let forward = null;
  for (let line = last; line !== null; line = line.before) forward = { level: line.level, message: line.message, next: forward };
  for (let line = forward; line !== null; line = line.next) each(line.level, line.message);
}

/** Adds a line, or drops it when the call has logged too much. */
export function record(level, message) {
  if (full) return;
  if (message.length > LINE_CHARS_MAX) message = `${slice(message, 0, LINE_CHARS_MAX)}…`;
  if (chars + message.length > CALL_CHARS_MAX) {
    full = true;
    level = 'warn';
    message = `more than ${CALL_CHARS_MAX} characters were logged in one call; the rest is left out`;
  }
  chars += message.length;
  last = { level, message, before: last };
}

/** One argument as text: strings as they are, objects as JSON. */
function shown(value) {
  if (typeof value === 'string') return value;
  try {
    if (typeof value === 'object' && value !== null) {
      const isError = value instanceof Error;
      return isError ? toText(value) : (stringify(value) ?? toText(value));
    }
    return toText(value);
  } catch {
    // A cycle, a BigInt inside, a toString that throws: logging must not fail an event.
    return '[cannot be shown]';
  }
}

const logger = (level) => (...args) => {
  let message = '';
  for (let i = 0; i < args.length; i++) message += (i === 0 ? '' : ' ') + shown(args[i]);
  record(level, message);
};

/** Puts `log` and `console` where user code looks for them. */
export function install(target) {
  const own = (object, name, value) =>
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  own(target, 'log', logger('info'));
  for (const [name, level] of [
    ['log', 'info'], ['info', 'info'], ['debug', 'debug'], ['trace', 'debug'], ['dir', 'info'],
    ['warn', 'warn'], ['error', 'error'],
  ]) own(target.console, name, logger(level));
}
