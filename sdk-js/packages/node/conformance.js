#!/usr/bin/env node
// Reads {writeKey, dataPlaneUrl, options?, calls: [{method, args}]} from stdin, makes the calls, closes the client,
// and prints {delivered, dropped}. For the server's end-to-end tests; `test/browser-cli.js` does it in a browser.
import { readFileSync } from 'node:fs';
import { Analytics } from './dist/esm/index.js';

const { writeKey, dataPlaneUrl, options, calls } = JSON.parse(readFileSync(0, 'utf8'));
const client = new Analytics(writeKey, { dataPlaneUrl, ...options });
for (const { method, args } of calls) client[method](...args);
const { delivered, dropped } = await client.close();
console.log(JSON.stringify({ delivered, dropped }));
