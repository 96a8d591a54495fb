// The reply to a batch, written as JSON text entry by entry, so that one output that cannot be written
// is that event's error and nobody else's.

import { bytesOf, charCodeAt, isArray, stringify } from './intrinsics.js';
import { describe } from './failure.js';
import { lines } from './console.js';

const OPENING_BRACE = 123;

let text = '';

export function begin() {
  text = '';
}

const entry = (json) => {
  text += text === '' ? json : `,${json}`;
};

export const isEvent = (value) => typeof value === 'object' && value !== null && !isArray(value);

/** One event that came out of input `index`. */
export function output(index, event) {
  const json = written(index, event);
  if (json !== undefined) entry(json);
}

/** All that came out of input `index`: all of it or, when one cannot be written, only the error. */
export function outputs(index, events) {
  let all = '';
  for (let i = 0; i < events.length; i++) {
    const json = written(index, events[i]);
    if (json === undefined) return;
    all += all === '' ? json : `,${json}`;
  }
  entry(all);
}

/** The entry of an output; or nothing, and the error has been noted. */
function written(index, event) {
  let json;
  try {
    json = stringify(event);
  } catch (thrown) {
    error(index, thrown);
    return undefined;
  }
  // A `toJSON` may have made anything of it.
  if (typeof json !== 'string' || charCodeAt(json, 0) !== OPENING_BRACE) {
    refusal(index, 'the returned event is not an object once it is written as JSON');
    return undefined;
  }
  return `{"index":${index},"output":${json}}`;
}

/** User code threw while it worked on input `index`. */
export function error(index, thrown) {
  const { message, stack, line, column } = describe(thrown);
  const place = line > 0 ? `,"stack":${stringify(stack)},"line":${line},"column":${column}` : '';
  entry(`{"index":${index},"error":{"message":${stringify(message)}${place}}}`);
}

/** Input `index` has failed for a reason of ours. */
export function refusal(index, message) {
  entry(`{"index":${index},"error":{"message":${stringify(message)}}}`);
}

/** Nothing comes out of input `index`, on purpose. */
export function dropped(index) {
  entry(`{"index":${index},"dropped":true}`);
}

/** The whole reply, log lines last. */
export function finish() {
  lines((level, message) => entry(`{"log":{"level":"${level}","message":${stringify(message)}}}`));
  const bytes = bytesOf(`[${text}]`);
  text = '';
  return bytes;
}
