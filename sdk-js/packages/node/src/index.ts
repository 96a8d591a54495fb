/**
 * Pintle for Node.
 *
 *     import { Analytics } from '@pintle/node';
 *     const client = new Analytics(writeKey, { dataPlaneUrl });
 *     client.track({ userId: '42', event: 'Order Completed', properties: { total: 12 } });
 *     await client.close();
 */
import type { AnyEvents } from '@pintle/core';
import { createClient } from './analytics.js';
import type { Client } from './api.js';
import type { AnalyticsOptions } from './options.js';

export { createClient };
export type { AliasCall, Client, Common, GroupCall, IdentifyCall, PageCall, TrackCall, Whose } from './api.js';
export type { AnalyticsOptions } from './options.js';
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

/** The same client in the shape of RudderStack's and Segment's SDKs: `new Analytics(writeKey, { dataPlaneUrl })`. */
export const Analytics = function (writeKey: string, options: AnalyticsOptions) {
  return createClient(writeKey, options);
} as unknown as {
  new <Events extends object = AnyEvents>(writeKey: string, options: AnalyticsOptions): Client<Events>;
};

export default Analytics;
