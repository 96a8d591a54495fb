// The glue between destination.js and the `destination-plugin` world.

import manifest from './manifest.js';
import * as mapping from '../destination.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const methods = new Set(['get', 'post', 'put', 'patch', 'delete']);
const manifestNow = JSON.parse(manifest);
let config;

const bytes = (value) => encoder.encode(JSON.stringify(value));
const pairs = (value) =>
  (Array.isArray(value) ? value : Object.entries(value ?? {})).map(([name, of]) => [String(name), String(of)]);

function body({ json, form, text, xml }) {
  if (json !== undefined) return { tag: 'json', val: bytes(json) };
  if (form !== undefined) return { tag: 'form', val: pairs(form) };
  if (xml !== undefined) return { tag: 'xml', val: String(xml) };
  if (text !== undefined) return { tag: 'raw', val: encoder.encode(String(text)) };
  return { tag: 'none' };
}

function request(described) {
  const method = String(described.method ?? 'POST').toLowerCase();
  if (!methods.has(method)) throw new Error(`there is no method ${described.method}`);
  const { url, query, headers, gzip } = described;
  return { method, url: String(url), query: pairs(query), headers: pairs(headers), body: body(described), gzip: gzip === true };
}

function outcome(answer) {
  if (answer?.reject !== undefined) return { tag: 'reject', val: String(answer.reject) };
  if (answer?.filter !== undefined) return { tag: 'filter', val: String(answer.filter) };
  if (answer === undefined || answer === null) return { tag: 'reject', val: 'transform returned nothing for the event' };
  const requests = Array.isArray(answer) ? answer : [answer];
  return { tag: 'deliver', val: requests.map((described) => ({ tag: 'request', val: request(described) })) };
}

export const destination = {
  describe: () => manifest,

  configure(text) {
    config = JSON.parse(text);
    const mistakes = mapping.configure?.(config) ?? [];
    if (mistakes.length > 0) {
      throw { payload: mistakes.map(({ path, message }) => ({ path: String(path), message: String(message) })) };
    }
  },

  transform(ctx, batch) {
    const context = { config, nowMs: Number(ctx.nowMs), randomSeed: ctx.randomSeed, attempt: ctx.attempt };
    return JSON.parse(decoder.decode(batch)).map(({ message, metadata }) => {
      try {
        return outcome(mapping.transform(message, { ...context, metadata }));
      } catch (error) {
        return { tag: 'reject', val: `destination.js failed: ${error?.message ?? error}` };
      }
    });
  },

  combine: () => [],

  conclude(request, response) {
    const { status } = response;
    if (manifestNow.conclude === 'custom' && mapping.conclude) return [verdict(mapping.conclude(response))];
    if (status >= 200 && status < 300) return [{ tag: 'delivered' }];
    if (status === 408 || status === 429 || status >= 500) return [{ tag: 'retry', val: undefined }];
    return [{ tag: 'reject', val: `the destination answered ${status}` }];
  },

  authenticate: () => undefined,
};

/** `true` or 'delivered', 'retry', {retryAfterMs}, or {reject: reason}. */
function verdict(answer) {
  if (answer === true || answer === 'delivered') return { tag: 'delivered' };
  if (answer === 'retry') return { tag: 'retry', val: undefined };
  if (answer?.retryAfterMs !== undefined) return { tag: 'retry', val: BigInt(Math.round(answer.retryAfterMs)) };
  return { tag: 'reject', val: String(answer?.reject ?? 'conclude refused the answer') };
}
