#!/usr/bin/env node
// Reads {writeKey, dataPlaneUrl, options?, calls: [{method, args}]} from stdin, makes the calls with @pintle/browser in
// headless Chromium, and prints {delivered, dropped}. Its sibling for Node is packages/node/conformance.js.
import { readFileSync } from 'node:fs';
import { startBrowser } from './support/browser.js';

const input = JSON.parse(readFileSync(0, 'utf8'));
const browser = await startBrowser();
try {
  const visitor = await browser.visitor();
  const page = await visitor.open();
  const { delivered, dropped } = await page.evaluate(async ({ writeKey, dataPlaneUrl, options, calls }) => {
    sdk.load(writeKey, dataPlaneUrl, options);
    for (const { method, args } of calls) void sdk[method](...args);
    return sdk.flush();
  }, input);
  console.log(JSON.stringify({ delivered, dropped }));
} finally {
  await browser.close();
}
