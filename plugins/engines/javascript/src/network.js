// `fetch` and `fetchV2`: requests of user code, handed to the host all at once.
//
// A request waits here until nothing else can run; then all that wait go out in one call of the host,
// which sends them side by side. An engine without the import has no way out: every request is refused.

import {
  Bytes, NativePromise, NativeURLSearchParams, append, bytesOf, defineProperty, getOwnPropertyDescriptor, isArray, ownKeys, parse, textOf, toLowerCase,
  toText, toUpperCase,
} from './intrinsics.js';
import { record } from './console.js';
import { inUse, use } from './random.js';

const NO_NETWORK = 'no host has been granted to this transformation';
const NO_URL = 'fetch url is required';

/** The host's function, in the engine that has it. */
let send;
/** Requests that wait to be sent, oldest first, as a linked list. */
let first = null;
let last = null;
let count = 0;
let refused = false;

/** Gives the engine the host's `fetch-batch`. Called while the component is built. */
export function connect(fetchBatch) {
  send = fetchBatch;
}

/** Starts a call: what the call before did not wait for is forgotten. */
export function begin() {
  first = last = null;
  count = 0;
  refused = false;
}

/** How many requests wait to be sent. */
export const waiting = () => count;

/** Sends what waits; returns the answers as a linked list to hand out with `deliver`, or null. */
export function exchange() {
  if (first === null) return null;
  const requests = [];
  for (let one = first; one !== null; one = one.next) append(requests, one.request);
  const sent = first;
  first = last = null;
  count = 0;
  let answers;
  let failure;
  try {
    answers = send(requests);
  } catch (thrown) {
    failure = toText(thrown?.message ?? thrown);
  }
  let i = 0;
  for (let one = sent; one !== null; one = one.next) one.answer = failure === undefined ? answers[i++] : { tag: 'err', val: failure };
  return sent;
}

/** Settles the promise of one answer; what it wakes is random in the way of the event that asked. */
export function deliver({ answer, random, resolve, reject }) {
  use(random);
  if (answer.tag === 'ok') resolve(answer.val);
  else reject(failed(answer.val));
}

/** What `fetchV2` rejects with: a plain object, so that it can be returned as an event. */
const failed = (message) => ({ message, stack: `Error: ${message}` });

function request(name, url, options) {
  return new NativePromise((resolve, reject) => {
    if (url === undefined || url === null || url === '') return reject(failed(NO_URL));
    if (send === undefined) {
      // Said once per call, as `fetch` itself says no more than "ERROR".
      if (!refused) record('warn', `${name}: ${NO_NETWORK}`);
      refused = true;
      return reject(failed(NO_NETWORK));
    }
    const one = { request: described(toText(url), options ?? {}), resolve, reject, random: inUse(), answer: undefined, next: null };
    if (last === null) first = one;
    else last.next = one;
    last = one;
    count++;
  });
}

function described(url, { method, headers, body, redirect }) {
  const list = [];
  let typed = false;
  const add = (name, value) => {
    name = toText(name);
    if (toLowerCase(name) === 'content-type') typed = true;
    append(list, [name, toText(value)]);
  };
  if (isArray(headers)) for (let i = 0; i < headers.length; i++) add(headers[i][0], headers[i][1]);
  else if (typeof headers === 'object' && headers !== null) {
    const names = ownKeys(headers);
    for (let i = 0; i < names.length; i++) if (typeof names[i] === 'string') add(names[i], headers[names[i]]);
  }
  const { bytes, type } = encoded(body);
  if (type !== undefined && !typed) add('content-type', type);
  return {
    method: method === undefined ? 'GET' : toUpperCase(toText(method)),
    url,
    headers: list,
    body: bytes,
    follow: redirect === undefined || redirect === 'follow',
  };
}

function encoded(body) {
  if (body === undefined || body === null) return { bytes: undefined, type: undefined };
  if (body instanceof Bytes) return { bytes: new Bytes(body), type: undefined };
  if (body instanceof ArrayBuffer) return { bytes: new Bytes(body), type: undefined };
  const type = body instanceof NativeURLSearchParams ? 'application/x-www-form-urlencoded;charset=UTF-8' : 'text/plain;charset=UTF-8';
  return { bytes: bytesOf(toText(body)), type };
}

/** The parsed JSON of the answer; the string "ERROR" for every failure. */
async function fetch(url, options) {
  try {
    const { body } = await request('fetch', url, options);
    return parse(textOf(body));
  } catch {
    return 'ERROR';
  }
}

/** `{url, status, headers, body}`; the body is parsed if it is JSON. */
async function fetchV2(url, options) {
  const { status, headers, body, url: answered } = await request('fetchV2', url, options);
  const named = {};
  for (let i = 0; i < headers.length; i++) {
    const name = headers[i][0];
    const known = getOwnPropertyDescriptor(named, name);
    const before = known === undefined ? '' : `${known.value}, `;
    defineProperty(named, name, { __proto__: null, value: before + headers[i][1], writable: true, enumerable: true, configurable: true });
  }
  const text = textOf(body);
  let value = text;
  try {
    value = parse(text);
  } catch {
    // Not JSON: the text is the answer.
  }
  return { url: answered, status, headers: named, body: value };
}

/** Puts them where user code looks for them. */
export function install(target) {
  const own = (name, value) =>
    defineProperty(target, name, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
  own('fetch', fetch);
  own('fetchV2', fetchV2);
}
