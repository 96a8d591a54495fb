// `transformEvent`: every event on its own.

import { isArray } from './intrinsics.js';
import { drive, turnBriefly, watch } from './loop.js';
import { stream, use } from './random.js';
import { dropped, error, isEvent, output, outputs, refusal } from './reply.js';

const NOT_AN_OBJECT = 'returned event from transformEvent(event) is not an object';
const NOT_AN_OBJECT_IN_ARRAY = 'returned event in events array from transformEvent(event) is not an object';
const NEVER = 'transformEvent returned a promise that never settles';

/**
 * Runs the handler over all inputs and writes their entries, in the order of the inputs.
 *
 * All events are under way before anything is waited for. An event that waits only for its own
 * promise jobs is let finish before the next one starts: then its randomness is its own throughout.
 */
export async function transformEvents(handler, inputs, seedOf, metadata) {
  let first = null;
  let last = null;
  for (let i = 0; i < inputs.length; i++) {
    use(stream(seedOf(inputs[i], i)));
    const box = call(handler, inputs[i].message, metadata);
    if (!box.done) await turnBriefly(box);
    if (last === null) first = box;
    else last.next = box;
    last = box;
  }
  for (let box = first; box !== null; box = box.next) {
    // Driving one drives all; what is still open after it needs its own turns.
    if (!box.done && !(await drive(box))) break;
  }
  let index = 0;
  for (let box = first; box !== null; box = box.next) write(index++, box);
}

/** Calls the handler; the box is done at once when no promise is involved. */
function call(handler, message, metadata) {
  try {
    const value = handler(message, metadata);
    if (typeof value !== 'object' || value === null || typeof value.then !== 'function') {
      return { done: true, failed: false, value, next: null };
    }
    return watch(value);
  } catch (thrown) {
    return { done: true, failed: true, value: thrown, next: null };
  }
}

function write(index, { done, failed, value }) {
  if (!done) refusal(index, NEVER);
  else if (failed) error(index, value);
  else if (value === null || value === undefined) dropped(index);
  else if (isArray(value)) writeAll(index, value);
  else if (isEvent(value)) output(index, value);
  else refusal(index, NOT_AN_OBJECT);
}

function writeAll(index, events) {
  const count = events.length;
  if (count === 0) return dropped(index);
  for (let i = 0; i < count; i++) {
    if (!isEvent(events[i])) return refusal(index, NOT_AN_OBJECT_IN_ARRAY);
  }
  outputs(index, events);
}
