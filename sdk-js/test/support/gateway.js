// A real HTTP server that plays Pintle's gateway, with faults to inject and a ledger by message id.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { gunzipSync } from 'node:zlib';

const PATIENCE_MS = 30_000;

/**
 * A fault is what a request meets instead of `200 ok`:
 *   { status, headers?, body? }   this answer; nothing is committed
 *   'cut'                         the connection ends without an answer; nothing is committed
 *   'commit-and-cut'              the same, but the events were committed: the client cannot know
 *   'hang'                        no answer until `heal`
 */
export async function startGateway({ bodyBytesMax = 4_096_000 } = {}) {
  /** Every request, refused ones too. */
  const requests = [];
  /** Events as committed, in order of their first receipt. */
  const events = [];
  const byId = new Map();
  let duplicates = 0;
  let faults = [];
  let always = null;
  let judge = null;
  const hanging = new Set();
  const waiting = new Set();

  const server = createServer(async (request, response) => {
    if (request.method === 'OPTIONS') {
      response.writeHead(204, {
        ...cors(request),
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': request.headers['access-control-request-headers'] ?? '',
        'access-control-max-age': '900',
      });
      return response.end();
    }
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const raw = Buffer.concat(chunks);
    const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw).toString();
    const { pathname, searchParams } = new URL(request.url, 'http://gateway');
    const { batch, sentAt } = JSON.parse(text);
    const seen = { path: pathname, query: searchParams, headers: request.headers, bytes: text.length, batch, sentAt };
    requests.push(seen);

    const fault = faults.shift() ?? judge?.(seen) ?? always;
    if (fault === 'hang') {
      hanging.add(response);
      response.on('close', () => hanging.delete(response));
    } else if (fault === 'cut') {
      response.destroy();
    } else if (fault === 'commit-and-cut') {
      commit(batch);
      response.destroy();
    } else if (fault) {
      response.writeHead(fault.status, { ...cors(request), ...fault.headers }).end(fault.body ?? '');
    } else if (text.length > bodyBytesMax) {
      response.writeHead(413, cors(request)).end('request size exceeds max limit\n');
    } else {
      commit(batch);
      response.writeHead(200, cors(request)).end('ok');
    }
    seen.fault = fault ?? null;
    for (const look of waiting) look();
  });

  function commit(batch) {
    for (const event of batch) {
      if (byId.has(event.messageId)) {
        duplicates++;
        continue;
      }
      byId.set(event.messageId, event);
      events.push(event);
    }
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();

  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    events,
    get duplicates() {
      return duplicates;
    },
    /** Names of committed track events, in order. */
    names: () => events.filter(({ type }) => type === 'track').map(({ event }) => event),
    /** The next requests meet these. */
    next: (...more) => faults.push(...more),
    /** All requests meet this, until `heal`. */
    fail: (fault) => (always = fault),
    /** Decides per request; null means 200. */
    judge: (decide) => (judge = decide),
    heal() {
      faults = [];
      always = judge = null;
      for (const response of hanging) response.destroy();
    },
    /** Waits for a request after which `condition` holds. */
    until(condition, what = String(condition)) {
      return new Promise((resolve, reject) => {
        const look = () => {
          if (!condition()) return;
          clearTimeout(late);
          waiting.delete(look);
          resolve();
        };
        const late = setTimeout(() => {
          waiting.delete(look);
          const names = events.map(({ type, event }) => event ?? type).join(' ');
          reject(new Error(`waited in vain for ${what}; ${requests.length} requests, committed: ${names}`));
        }, PATIENCE_MS);
        waiting.add(look);
        look();
      });
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** As Pintle answers: any origin, and `Retry-After` may be read. */
function cors(request) {
  const { origin } = request.headers;
  if (!origin) return {};
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'Retry-After',
    vary: 'Origin',
  };
}
