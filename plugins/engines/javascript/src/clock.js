// Virtual time: a batch starts at the context's `now`, and only timers move it on.
//
// Nothing waits for real. `setTimeout(f, 1000)` runs as soon as nothing else can, and the clock then
// says that a second has passed. Each reading adds a microsecond, so that a loop that waits for the
// clock comes to an end.

import { NativeDate, NativeTypeError, apply, construct, dateToText, defineProperty, floor, toNumber } from './intrinsics.js';
import { describe } from './failure.js';
import { inUse, use } from './random.js';
import { record } from './console.js';

const READING_MS = 0.001;
/** Timers that may be pending at once. */
const TIMERS_MAX = 10_000;
/** What browsers and Node take at most: 2^31 - 1 ms, about 25 days. */
const DELAY_MAX_MS = 2_147_483_647;

let origin = 0;
let now = 0;
let lastId = 0;
/** Pending timers as a linked list, soonest first: the engine's own lists use no array methods. */
let first = null;
let last = null;
let pending = 0;

/** Starts a call: the clock stands at `nowMs` and no timer is left of the call before. */
export function begin(nowMs) {
  origin = now = nowMs;
  first = last = null;
  pending = 0;
}

const read = () => (now += READING_MS);

/** Runs the soonest timer; false when there is none. */
export function runNextTimer() {
  const timer = first;
  if (timer === null) return false;
  first = timer.next;
  if (first === null) last = null;
  pending--;
  if (timer.at > now) now = timer.at;
  // A timer belongs to the event that set it, and so does the randomness that it and what it wakes use.
  use(timer.random);
  if (timer.every !== undefined) insert({ __proto__: null, ...timer, at: now + timer.every, next: null });
  try {
    apply(timer.callback, undefined, timer.args);
  } catch (thrown) {
    // Nobody waits for a timer's callback: like an unhandled rejection it is told and not passed on.
    record('error', `a timer's callback threw: ${describe(thrown).message}`);
  }
  return true;
}

function insert(timer) {
  if (pending >= TIMERS_MAX) throw new RangeError(`more than ${TIMERS_MAX} timers are pending`);
  pending++;
  // Most timers are set for later than all others: those need no search.
  if (last === null || last.at <= timer.at) {
    if (last === null) first = timer;
    else last.next = timer;
    last = timer;
    return;
  }
  if (first.at > timer.at) {
    timer.next = first;
    first = timer;
    return;
  }
  let before = first;
  while (before.next.at <= timer.at) before = before.next;
  timer.next = before.next;
  before.next = timer;
}

function start(callback, delay, args, repeat) {
  if (typeof callback !== 'function') throw new NativeTypeError('a timer needs a function');
  let ms = toNumber(delay);
  // An interval of nothing would leave no room for anything else.
  if (!(ms >= 0) || ms > DELAY_MAX_MS) ms = 0;
  if (repeat && ms < 1) ms = 1;
  const id = ++lastId;
  insert({ __proto__: null, id, at: now + ms, every: repeat ? ms : undefined, callback, args, random: inUse(), next: null });
  return id;
}

export const setTimeout = (callback, delay, ...args) => start(callback, delay, args, false);
export const setInterval = (callback, delay, ...args) => start(callback, delay, args, true);

export function clearTimeout(id) {
  for (let before = null, timer = first; timer !== null; before = timer, timer = timer.next) {
    if (timer.id !== id) continue;
    if (before === null) first = timer.next;
    else before.next = timer.next;
    if (last === timer) last = before;
    pending--;
    return;
  }
}

/** `Date` with the virtual clock; everything else is the language's own. */
export function VirtualDate(...args) {
  if (new.target === undefined) return dateToText(new NativeDate(floor(read())));
  const target = new.target === VirtualDate ? NativeDate : new.target;
  return construct(NativeDate, args.length === 0 ? [floor(read())] : args, target);
}

/** Puts them where user code looks for them. */
export function install(target) {
  const own = (object, name, value) =>
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });

  own(VirtualDate, 'now', () => floor(read()));
  own(VirtualDate, 'parse', NativeDate.parse);
  own(VirtualDate, 'UTC', NativeDate.UTC);
  defineProperty(VirtualDate, 'name', { value: 'Date' });
  defineProperty(VirtualDate, 'length', { value: 7 });
  defineProperty(VirtualDate, 'prototype', { value: NativeDate.prototype, writable: false });
  own(NativeDate.prototype, 'constructor', VirtualDate);
  own(target, 'Date', VirtualDate);

  own(target.performance, 'now', () => read() - origin);
  defineProperty(target.performance, 'timeOrigin', { get: () => origin, configurable: true });

  // The engine's own asks the host for a clock that is not there.
  own(target.AbortSignal, 'timeout', (delay) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('The operation timed out.', 'TimeoutError')), delay);
    return controller.signal;
  });

  own(target, 'setTimeout', setTimeout);
  own(target, 'setInterval', setInterval);
  own(target, 'clearTimeout', clearTimeout);
  own(target, 'clearInterval', clearTimeout);
}
