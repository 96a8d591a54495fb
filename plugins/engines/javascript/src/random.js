// Randomness from the batch context: the same seed gives the same values.
//
// Not for secrets: xoshiro128** is fast and repeatable, not cryptographic. Each event has its own
// stream, so that an event that is tried again, alone or in another batch, gets the same ids.

import { Bytes, NativeTypeError, apply, defineProperty, getOwnPropertyDescriptor, imul, writeText } from './intrinsics.js';

const QUOTA_BYTES = 65536;

/** A stream of 32-bit numbers made from any text; the work is done when the first one is asked for. */
export const stream = (seed) => ({ seed, a: 0, b: 0, c: 0, d: 0 });

/** Where a seed is hashed: its bytes, seen as words. A longer seed is cut. */
const seedBytes = new Uint8Array(128);
const seedWords = new Uint32Array(seedBytes.buffer);

function sow(state) {
  const length = writeText(state.seed, seedBytes);
  state.seed = undefined;
  for (let i = length; i % 4 !== 0; i++) seedBytes[i] = 0;
  // FNV-1a over words to mix the text in, then splitmix32 to fill the state, as xoshiro's authors advise.
  let even = 0x811c9dc5 ^ length;
  let odd = 0x9e3779b9;
  for (let i = 0; i * 4 < length; i++) {
    const word = seedWords[i];
    even = imul(even ^ word, 0x01000193);
    even ^= even >>> 15;
    odd = imul(odd + word, 0x85ebca6b);
    odd ^= odd >>> 13;
  }
  state.a = mix(even + 0x9e3779b9);
  state.b = mix(odd ^ 0x7f4a7c15);
  state.c = mix(even + odd);
  // Never all zero: that state would give nothing but zeros.
  state.d = mix(odd - even) | 1;
}

function mix(z) {
  z = imul(z ^ (z >>> 16), 0x21f0aaad);
  z = imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

let current = stream('');

/** Makes `next` the source of all randomness; returns what was it before. */
export function use(next) {
  const before = current;
  current = next;
  return before;
}

export const inUse = () => current;

function next() {
  const s = current;
  if (s.seed !== undefined) sow(s);
  let result = imul(s.b, 5);
  result = imul((result << 7) | (result >>> 25), 9);
  const t = s.b << 9;
  s.c ^= s.a;
  s.d ^= s.b;
  s.b ^= s.c;
  s.a ^= s.d;
  s.c ^= t;
  s.d = (s.d << 11) | (s.d >>> 21);
  return result >>> 0;
}

/** As `Math.random`: 53 bits, at least 0 and below 1. */
export function random() {
  const high = next() >>> 5;
  const low = next() >>> 6;
  return (high * 67108864 + low) / 9007199254740992;
}

export function getRandomValues(view) {
  const tag = typedArrayName(view);
  if (tag === undefined || tag === 'Float32Array' || tag === 'Float64Array' || tag === 'Float16Array') {
    throw new NativeTypeError('getRandomValues needs an integer typed array');
  }
  if (view.byteLength > QUOTA_BYTES) throw new RangeError(`getRandomValues fills at most ${QUOTA_BYTES} bytes`);
  const bytes = new Bytes(view.buffer, view.byteOffset, view.byteLength);
  for (let i = 0; i < bytes.length; i++) bytes[i] = next() >>> 24;
  return view;
}

const HEX = [];
for (let i = 0; i < 256; i++) HEX.push(i.toString(16).padStart(2, '0'));

const hex2 = (bits) => HEX[(bits >>> 8) & 255] + HEX[bits & 255];
const hex4 = (bits) => HEX[bits >>> 24] + HEX[(bits >>> 16) & 255] + hex2(bits);

/** A version 4 UUID. */
export function randomUUID() {
  const time = next();
  const version = (next() & 0xffff0fff) | 0x4000;
  const variant = (next() & 0x3fffffff) | 0x80000000;
  return `${hex4(time)}-${hex2(version >>> 16)}-${hex2(version)}-${hex2(variant >>> 16)}-${hex2(variant)}${hex4(next())}`;
}

const tagGetter = getOwnPropertyDescriptor(Object.getPrototypeOf(Bytes.prototype), Symbol.toStringTag).get;
const typedArrayName = (value) => apply(tagGetter, value, []);

/** Puts them where user code looks for them. */
export function install(target) {
  const own = (object, name, value) =>
    defineProperty(object, name, { __proto__: null, value, writable: true, enumerable: false, configurable: true });
  own(target.Math, 'random', random);
  own(target.crypto, 'randomUUID', randomUUID);
  own(target.crypto, 'getRandomValues', getRandomValues);
}
