// `transformBatch`: all events of a call at once, and then finding out which result answers which input.

import { append, isArray, lookup } from './intrinsics.js';
import { drive, watch } from './loop.js';
import { stream, use } from './random.js';
import { dropped, error, isEvent, output, refusal } from './reply.js';

const NOT_AN_ARRAY = 'returned events from transformBatch(event) is not an array';
const NOT_AN_OBJECT = 'returned event in events array from transformBatch(events) is not an object';
const NEVER = 'transformBatch returned a promise that never settles';

/** Runs the handler once over all inputs and writes the entries. */
export async function transformBatch(handler, inputs, seedOf, metadata) {
  if (inputs.length === 0) return;
  const inputOf = matcher(inputs);
  // One call, one stream: that of its first event.
  use(stream(seedOf(inputs[0], 0)));
  let value;
  try {
    const events = [];
    forEach(inputs, (i) => append(events, inputs[i].message));
    const box = watch(handler(events, metadata));
    if (!(await drive(box))) return forEach(inputs, (i) => refusal(i, NEVER));
    if (box.failed) return forEach(inputs, (i) => error(i, box.value));
    value = box.value;
  } catch (thrown) {
    return forEach(inputs, (i) => error(i, thrown));
  }
  if (!isArray(value)) return forEach(inputs, (i) => refusal(i, NOT_AN_ARRAY));
  write(value, inputs, inputOf);
}

function write(events, inputs, inputOf) {
  const answered = lookup();
  const count = events.length;
  for (let i = 0; i < count; i++) {
    const event = events[i];
    if (!isEvent(event)) {
      // It carries no messageId; its place is the best guess when nothing was added or left out.
      const index = count === inputs.length ? i : inputs.length - 1;
      answered.set(index, true);
      refusal(index, NOT_AN_OBJECT);
      continue;
    }
    const index = inputOf(event);
    answered.set(index, true);
    output(index, event);
  }
  forEach(inputs, (i) => {
    if (answered.get(i) === undefined) dropped(i);
  });
}

/**
 * Finds the input that a result answers: by `messageId`, the n-th result with an id for the n-th input
 * with it; a result with an id of its own answers the last input, so that it is never settled early.
 */
function matcher(inputs) {
  const last = inputs.length - 1;
  const firstOf = lookup();
  const nextOf = lookup();
  for (let i = last; i >= 0; i--) {
    const id = inputs[i].message.messageId;
    if (id === undefined) continue;
    nextOf.set(i, firstOf.get(id));
    firstOf.set(id, i);
  }
  return (event) => {
    let id;
    try {
      id = event.messageId;
    } catch {
      return last;
    }
    const index = id === undefined ? undefined : firstOf.get(id);
    if (index === undefined) return last;
    const next = nextOf.get(index);
    if (next !== undefined) firstOf.set(id, next);
    return index;
  };
}

function forEach(inputs, each) {
  for (let i = 0; i < inputs.length; i++) each(i);
}
