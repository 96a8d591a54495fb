// The functions that a transformation finds in its scope besides the language.

import { NativeError, NativePromise, NativeTypeError, defineProperty, lookup } from './intrinsics.js';
import { record } from './console.js';

/** The inputs of the call, for `metadata(event)`. */
let inputs = [];
let byEvent = null;
let refused = false;

/** Starts a call over these inputs. */
export function begin(batch) {
  inputs = batch;
  byEvent = null;
  refused = false;
}

/** What is known of an event: found by the object itself, or by its `messageId`. */
export function metadata(event) {
  if (byEvent === null) {
    byEvent = lookup();
    for (let i = inputs.length - 1; i >= 0; i--) {
      const { message, metadata: known } = inputs[i];
      byEvent.set(message, known);
      if (typeof known.messageId === 'string') byEvent.set(known.messageId, known);
    }
  }
  return byEvent.get(event) ?? byEvent.get(event?.messageId) ?? {};
}

/** No credentials are handed to transformations yet, so no key has a value. */
function getCredential(key) {
  if (key === null || key === undefined) throw new NativeTypeError('Key should be valid and defined');
  return undefined;
}

const NativeURL = URL;
const NO_NETWORK = 'no host has been granted to this transformation';

/** Logged once per call, as `fetch` itself says no more than "ERROR". */
function refuse(name) {
  if (!refused) record('warn', `${name}: ${NO_NETWORK}`);
  refused = true;
}

/** Answers the string "ERROR", as it does for every failure. */
function fetch() {
  refuse('fetch');
  return new NativePromise((resolve) => resolve('ERROR'));
}

function fetchV2() {
  refuse('fetchV2');
  return new NativePromise((_, reject) => reject({ name: 'FetchError', message: NO_NETWORK }));
}

/** No database of places is attached yet. */
function geolocation(ip) {
  let message = 'geolocation is not available right now';
  if (!ip) message = 'ip address is required';
  else if (!isAddress(ip)) message = 'invalid ip address';
  return new NativePromise((_, reject) => reject(new NativeError(message)));
}

function isAddress(ip) {
  if (typeof ip !== 'string') return false;
  const parts = ip.split('.');
  if (parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && part <= 255)) return true;
  if (!/^[0-9a-f:.]+$/i.test(ip)) return false;
  try {
    // The URL parser knows every spelling of an IPv6 address.
    return new NativeURL(`http://[${ip}]/`).hostname.length > 2;
  } catch {
    return false;
  }
}

/** Puts them where user code looks for them. */
export function install(target) {
  const functions = { metadata, getCredential, fetch, fetchV2, geolocation };
  for (const name of Object.keys(functions)) {
    defineProperty(target, name, { __proto__: null, value: functions[name], writable: true, enumerable: true, configurable: true });
  }
  // Some transformations written for other hosts look for Node's name of the global object.
  defineProperty(target, 'global', { __proto__: null, value: target, writable: true, enumerable: false, configurable: true });
}
