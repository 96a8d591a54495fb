import type { Answer } from './answer.js';
import type { Clock } from './clock.js';
import type { Entry } from './queue.js';

/** The part of the web's `fetch` that is used. */
export type Fetch = (
  url: string,
  init: {
    method: string;
    headers: Record<string, string>;
    body: string | Uint8Array;
    keepalive?: boolean;
    signal?: AbortSignal;
  },
) => Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }>;

/** Sends a batch. Never rejects: what could not be sent is an answer with status 0. */
export type Post = (batch: readonly Entry[], signal: AbortSignal) => Promise<Answer>;

const ANSWER_CHARS_MAX = 200;
const encoder = /* @__PURE__ */ new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** Base64 of the UTF-8 bytes; `btoa` alone refuses characters beyond Latin-1. */
export const base64 = (text: string): string => btoa(String.fromCharCode(...utf8(text)));

/** `,"sentAt":"2024-01-01T00:00:00.000Z"` and the comma between events. */
export const ITEM_OVERHEAD_BYTES = 38;
export const BODY_OVERHEAD_BYTES = 60;

/**
 * The request's body. Each event was turned into JSON once, when it was queued; `sentAt` is written behind it,
 * because servers correct the client's clock per event and keep nothing of the envelope.
 */
export function batchBody(batch: readonly Entry[], now: number): string {
  const sentAt = `"sentAt":"${new Date(now).toISOString()}"`;
  return `{"batch":[${batch.map(({ json }) => `${json.slice(0, -1)},${sentAt}}`).join(',')}],${sentAt}}`;
}

export interface TransportOptions {
  fetch: Fetch;
  clock: Clock;
  url: string;
  headers?: Record<string, string>;
  requestTimeoutMs: number;
  /** Lets the request outlive its page. */
  keepalive?: boolean;
  /** Compresses the body; what it returns is sent with the headers it returns. */
  encode?(body: string): Promise<{ body: Uint8Array; headers: Record<string, string> }>;
}

/** `POST url` with a time limit. */
export function createPost(options: TransportOptions): Post {
  const { fetch, clock, encode, keepalive } = options;
  return async (batch, signal) => {
    const givingUp = new AbortController();
    const abort = () => givingUp.abort();
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    const timer = clock.setTimeout(abort, options.requestTimeoutMs);
    try {
      const headers: Record<string, string> = { ...options.headers };
      // The gateway can send all requests of one user to one node without reading the body.
      if (batch[0]?.route !== undefined && !keepalive) headers.AnonymousId = base64(batch[0].route);
      let body: string | Uint8Array = batchBody(batch, clock.now());
      if (encode) {
        const encoded = await encode(body);
        body = encoded.body;
        Object.assign(headers, encoded.headers);
      }
      const response = await fetch(options.url, {
        method: 'POST',
        headers,
        body,
        signal: givingUp.signal,
        ...(keepalive && { keepalive }),
      });
      // Read to its end, so that the connection can be used again.
      const text = await response.text();
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after'),
        text: text.trim().slice(0, ANSWER_CHARS_MAX),
      };
    } catch (error) {
      return { status: 0, retryAfter: null, text: String(error) };
    } finally {
      clock.clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
  };
}

/** Where batches go, and as whom. */
export function batchEndpoint(dataPlaneUrl: string, writeKey: string): { url: string; headers: Record<string, string> } {
  return {
    url: `${dataPlaneUrl.replace(/\/+$/, '')}/v1/batch`,
    headers: { authorization: `Basic ${base64(`${writeKey}:`)}`, 'content-type': 'application/json' },
  };
}
