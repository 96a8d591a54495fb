import type { Callback, Properties } from '@pintle/core';

/** What a call was given, with the callback taken out wherever it stood. */
export function withoutCallback(args: readonly unknown[]): { args: unknown[]; callback?: Callback } {
  const callback = args.find((arg) => typeof arg === 'function') as Callback | undefined;
  return { args: args.filter((arg) => typeof arg !== 'function'), ...(callback && { callback }) };
}

const isObject = (value: unknown): value is Properties => typeof value === 'object' && value !== null;

/** `(id?, traits?, options?)`, where the id may be left out. Numbers are welcome as ids; the wire has strings. */
export function idFirst(args: unknown[]): { id?: string; traits?: Properties; options?: unknown } {
  const [id, traits, options] = isObject(args[0]) ? [undefined, ...args] : args;
  return {
    ...(id !== undefined && id !== null && { id: String(id) }),
    ...(isObject(traits) && { traits }),
    options,
  };
}

/** `(category?, name?, properties?, options?)`: a single string is the name, and strings may be left out. */
export function pageArguments(args: unknown[]): {
  category?: string;
  name?: string;
  properties: Properties;
  options?: unknown;
} {
  const firstObject = args.findIndex(isObject);
  const words = args.slice(0, Math.min(2, firstObject < 0 ? 2 : firstObject));
  const [properties, options] = args.slice(words.length);
  const [category, name] = words.length === 2 && words[1] ? words : [undefined, words[0]];
  return {
    ...(category ? { category: String(category) } : {}),
    ...(name ? { name: String(name) } : {}),
    properties: isObject(properties) ? properties : {},
    options,
  };
}
