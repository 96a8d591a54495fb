// The functions that a transformation finds in its scope besides the language.

import { NativeError, NativePromise, NativeTypeError, defineProperty, lookup, toText } from './intrinsics.js';

/** The inputs of the call, for `metadata(event)`. */
let inputs = [];
let byEvent = null;
/** What `getCredential` knows. */
let credentials = lookup();

/** Hands the transformation its credentials: `[key, value]` pairs. */
export function entrust(pairs) {
  credentials = lookup();
  for (let i = 0; i < pairs.length; i++) credentials.set(pairs[i][0], pairs[i][1]);
}

/** Starts a call over these inputs. */
export function begin(batch) {
  inputs = batch;
  byEvent = null;
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

/** The value of a credential; `undefined` for a key that was not handed to this transformation. */
function getCredential(key) {
  if (key === null || key === undefined) throw new NativeTypeError('Key should be valid and defined');
  return credentials.get(toText(key));
}

const NativeURL = URL;

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

/** Takes away what code of version 0 never had. */
export function installVersion0(target) {
  delete target.getCredential;
}

/** Puts them where user code looks for them. */
export function install(target) {
  const functions = { metadata, getCredential, geolocation };
  for (const name of Object.keys(functions)) {
    defineProperty(target, name, { __proto__: null, value: functions[name], writable: true, enumerable: true, configurable: true });
  }
  // Some transformations written for other hosts look for Node's name of the global object.
  defineProperty(target, 'global', { __proto__: null, value: target, writable: true, enumerable: false, configurable: true });
}
