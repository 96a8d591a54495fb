/** What a plain page loads: the client becomes `window.pintle` and carries out what the stub has collected. */
import type { Client } from './api.js';
import { createClient } from './client.js';

type Call = [method: keyof Client, ...args: unknown[]];

const page = window as unknown as { pintle?: Call[] | Client };
const stub = page.pintle;
const client = createClient();
page.pintle = Object.assign(client, { createClient });

if (Array.isArray(stub)) {
  for (const [method, ...args] of stub) (client[method] as (...args: unknown[]) => unknown)?.(...args);
}
