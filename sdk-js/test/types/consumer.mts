// Compiled, never run: what a user of the packages may write, and what the compiler must refuse.
import * as pintle from '@pintle/browser';
import { createClient, RudderAnalytics, type LoadOptions, type Plugin } from '@pintle/browser';
import Default, { Analytics, type AnalyticsOptions, type Outcome } from '@pintle/node';

/** As generated from a tracking plan. */
interface Plan {
  'Order Completed': { total: number; coupon?: string };
  'Tour Seen': { step?: number };
}

const scrub: Plugin = { name: 'scrub', beforeSend: (event) => ({ ...event, context: { ...event.context, page: {} } }) };
const options: LoadOptions = { consent: 'pending', plugins: [scrub], limits: { eventBytesMax: 10_000, leaseMs: 1_000 } };
pintle.load('WK', 'https://events.example.com', options);
export const outcome: Promise<Outcome> = pintle.track('Anything', { at: new Date() });
pintle.track('No properties');
pintle.track('With callback', ({ status }) => console.log(status));
pintle.track('All', {}, { integrations: { All: false } }, (result) => console.log(result.messageId));
pintle.page('Docs', 'Start', { a: 1 });
pintle.page('Home', { a: 1 });
pintle.page({ a: 1 });
pintle.identify({ plan: 'pro' });
pintle.identify(7, { plan: 'pro' }, () => {});
pintle.group('g', { seats: 1 });
pintle.alias('new', 'old');
new RudderAnalytics().load('WK', 'https://events.example.com');

const planned = createClient<Plan>();
planned.track('Order Completed', { total: 12 });
planned.track('Tour Seen');
// @ts-expect-error: the plan wants a total
planned.track('Order Completed', {});
// @ts-expect-error: and it wants properties at all
planned.track('Order Completed');
// @ts-expect-error: this event is not in the plan
planned.track('Order Complete', { total: 12 });
// @ts-expect-error: consent is one of three words
pintle.setConsent('maybe');

const nodeOptions: AnalyticsOptions = { dataPlaneUrl: 'https://events.example.com', flushAt: 5 };
const client = new Analytics('WK', nodeOptions);
client.track({ userId: '1', event: 'Anything', properties: { a: 1 } }, (result) => console.log(result.status));
client.identify({ anonymousId: 'a', traits: {} });
client.flush(({ delivered }) => console.log(delivered));
await client.close();
new Default('WK', nodeOptions).page({ userId: 1 });
// @ts-expect-error: whose event is it?
client.track({ event: 'Anything' });
const plannedNode = new Analytics<Plan>('WK', nodeOptions);
plannedNode.track({ userId: '1', event: 'Order Completed', properties: { total: 1 } });
// @ts-expect-error: the plan wants a total
plannedNode.track({ userId: '1', event: 'Order Completed' });
