// Keeps what lies between the host and the engine out of reach of user code.
//
// The glue that componentize-js generates has a realm of its own, but it touches a few things of the
// user's: the promise and the values that the engine returns, and the methods named in `seal`. A
// transformation that replaces one of those would not fail, it would trap without a word.

import { NativePromise, defineProperty, getOwnPropertyDescriptor } from './intrinsics.js';

const nativeThen = NativePromise.prototype.then;

const fixed = (object, name, value) =>
  defineProperty(object, name, { __proto__: null, value, writable: false, enumerable: false, configurable: false });

/** A promise whose `then` is the language's own whatever becomes of `Promise.prototype`. */
export function shieldedPromise(promise) {
  fixed(promise, 'then', nativeThen);
  // Undefined stands for the built-in constructor: nothing is looked up on `Promise`.
  fixed(promise, 'constructor', undefined);
  return promise;
}

/** Bytes that are neither a thenable nor a `{tag, val}`, whatever `Object.prototype` has become. */
export function shieldedBytes(bytes) {
  fixed(bytes, 'then', undefined);
  fixed(bytes, 'tag', undefined);
  return bytes;
}

/** Makes methods of the realm that the glue calls read-only: replacing one is a `TypeError` at once. */
export function seal(target) {
  const typedArray = Object.getPrototypeOf(target.Uint8Array.prototype);
  for (const [object, names] of [
    [target.TextDecoder.prototype, ['decode']],
    [target.TextEncoder.prototype, ['encode', 'encodeInto']],
    [target.ArrayBuffer.prototype, ['slice', 'byteLength']],
    [typedArray, ['buffer', 'byteLength', 'byteOffset', 'length']],
  ]) {
    for (const name of names) {
      const { get, value } = getOwnPropertyDescriptor(object, name);
      if (get === undefined) fixed(object, name, value);
      else defineProperty(object, name, { __proto__: null, get, enumerable: false, configurable: false });
    }
  }
}
