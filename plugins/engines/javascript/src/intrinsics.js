// What the engine itself uses of the language, taken while the component is built.
//
// User code runs in the same realm and may replace `JSON.stringify`, put a setter on
// `Array.prototype`, or a `toJSON` on `Object.prototype`. That may spoil its own events; it must not
// spoil the engine. So engine code calls these copies, reads no method off a value it did not make,
// and builds lists by `append`, which no setter on a prototype can see.

const { apply, construct, defineProperty, ownKeys } = Reflect;

// `uncurried(f)(self, a)` is `f.call(self, a)` with the `call` of build time.
const uncurried = Function.prototype.bind.bind(Function.prototype.call);

export { apply, construct, defineProperty, ownKeys };
export const getOwnPropertyDescriptor = Object.getOwnPropertyDescriptor;
export const isArray = Array.isArray;
export const parse = JSON.parse;
export const stringify = JSON.stringify;
export const { floor, imul } = Math;
export const toNumber = Number;
export const toText = String;
export const NativeDate = Date;
export const NativePromise = Promise;
export const NativeTypeError = TypeError;
export const NativeError = Error;
export const NativeURLSearchParams = URLSearchParams;
export const Bytes = Uint8Array;

export const charCodeAt = uncurried(String.prototype.charCodeAt);
export const indexOf = uncurried(String.prototype.indexOf);
export const lastIndexOf = uncurried(String.prototype.lastIndexOf);
export const slice = uncurried(String.prototype.slice);
export const startsWith = uncurried(String.prototype.startsWith);
export const toLowerCase = uncurried(String.prototype.toLowerCase);
export const toUpperCase = uncurried(String.prototype.toUpperCase);
export const replace = uncurried(String.prototype.replace);
export const dateToText = uncurried(Date.prototype.toString);

/** Registers both outcomes of a native promise; throws for anything else. */
export const settle = uncurried(Promise.prototype.then);
/** A native promise for any value; adopts thenables. */
export const promiseOf = (value) => new NativePromise((resolve) => resolve(value));

const NativeMap = Map;
const mapGet = uncurried(Map.prototype.get);
const mapSet = uncurried(Map.prototype.set);
/** A map whose methods cannot be replaced. */
export const lookup = () => {
  const map = new NativeMap();
  return { get: (key) => mapGet(map, key), set: (key, value) => mapSet(map, key, value) };
};

/** `list.push(item)` that no setter on a prototype can see. */
export const append = (list, item) => {
  defineProperty(list, list.length, { __proto__: null, value: item, writable: true, enumerable: true, configurable: true });
};

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const encode = uncurried(TextEncoder.prototype.encode);
const encodeInto = uncurried(TextEncoder.prototype.encodeInto);
const decode = uncurried(TextDecoder.prototype.decode);
export const bytesOf = (text) => encode(encoder, text);
export const textOf = (bytes) => decode(decoder, bytes);
/** Writes as much of the text as fits; returns how many bytes that are. */
export const writeText = (text, bytes) => encodeInto(encoder, text, bytes).written;

const stackGetter = getOwnPropertyDescriptor(Error.prototype, 'stack')?.get;
/** The engine's stack of an error, whatever user code made of `error.stack`. */
export const stackOf = (error) => {
  try {
    const stack = stackGetter ? apply(stackGetter, error, []) : error.stack;
    return typeof stack === 'string' ? stack : '';
  } catch {
    return '';
  }
};
