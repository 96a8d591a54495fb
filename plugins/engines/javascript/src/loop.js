// Waiting for user code's promises, with nothing outside to wait for.
//
// The language offers no way to see that the queue of promise jobs is empty. So the loop lets it turn
// a number of times; if the promise is still open, the next timer fires; when there is no timer either
// and a long patience has run out, the promise will never settle.

import { promiseOf, settle } from './intrinsics.js';
import { runNextTimer } from './clock.js';
import { deliver, exchange, waiting } from './network.js';

/** Turns to give before a timer fires, or before the next event is started. */
const TURNS = 64;
/** Turns to give to what one answer from the network wakes, before the next is handed out. */
const TURNS_PER_ANSWER = 8;
/** Turns to give when there is nothing else to wait for: a chain of so many `await`s is no accident. */
const PATIENCE_TURNS = 20_000;

/** A box that says when a promise or other thenable has settled, and how. */
export function watch(thenable) {
  const box = { done: false, failed: false, value: undefined, next: null };
  const done = (value) => {
    box.done = true;
    box.value = value;
  };
  const failed = (thrown) => {
    box.done = box.failed = true;
    box.value = thrown;
  };
  try {
    settle(thenable, done, failed);
  } catch {
    // No native promise, then, and something else that may have a `then`.
    settle(promiseOf(thenable), done, failed);
  }
  return box;
}

/** Lets promise jobs run until the box is done, for a while. */
async function turn(box, turns) {
  // `await null` touches nothing that user code could have replaced.
  for (let i = 0; i < turns && !box.done; i++) await null;
  return box.done;
}

/**
 * Lets promise jobs run, no timers: enough for code that waits for nothing but itself. Code that has asked
 * for something from the network will not go on before that is sent.
 */
export async function turnBriefly(box) {
  const before = waiting();
  for (let i = 0; i < TURNS && !box.done && waiting() === before; i++) await null;
  return box.done;
}

/** Sends what user code has asked for, and lets each answer have its way; false when nothing was asked. */
export async function exchangeOnce() {
  const answers = exchange();
  if (answers === null) return false;
  for (let one = answers; one !== null; one = one.next) {
    deliver(one);
    for (let i = 0; i < TURNS_PER_ANSWER; i++) await null;
  }
  return true;
}

/** Runs jobs, requests and timers until the box is done; false when that will never be. */
export async function drive(box) {
  for (;;) {
    if (await turn(box, TURNS)) return true;
    if ((await exchangeOnce()) || runNextTimer()) continue;
    if (await turn(box, PATIENCE_TURNS)) return true;
    if (!(await exchangeOnce()) && !runNextTimer()) return false;
  }
}
