/**
 * Pintle for browsers. Use the functions, which share one client, or make clients of your own:
 *
 *     import * as pintle from '@pintle/browser';              import { createClient } from '@pintle/browser';
 *     pintle.load(writeKey, dataPlaneUrl);                    const client = createClient<MyEvents>();
 *     pintle.track('Order Completed', { total: 12 });         client.load(writeKey, dataPlaneUrl);
 */
import type { AnyEvents } from '@pintle/core';
import type { Client } from './api.js';
import { createClient } from './client.js';

export { createClient };
export type { Client, TrackArguments } from './api.js';
export type { BrowserLimits, CallOptions, Consent, LoadOptions } from './options.js';
export type { SessionOptions } from './session.js';
export type {
  AnyEvents,
  Callback,
  Context,
  Drop,
  DropReason,
  EventType,
  Integrations,
  Limits,
  Outcome,
  PintleEvent,
  Plugin,
  Properties,
  Stats,
  Traits,
} from '@pintle/core';

/** For code that says `new RudderAnalytics()`. */
export const RudderAnalytics = function () {
  return createClient();
} as unknown as { new <Events extends object = AnyEvents>(): Client<Events> };

const shared: Client = /* @__PURE__ */ createClient();

export const {
  load,
  ready,
  identify,
  track,
  page,
  screen,
  group,
  alias,
  reset,
  flush,
  setConsent,
  setAnonymousId,
  getAnonymousId,
  getUserId,
  getUserTraits,
  getGroupId,
  getGroupTraits,
  getSessionId,
  startSession,
  endSession,
  stats,
} = shared;
