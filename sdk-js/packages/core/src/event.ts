/** What an event is: the shapes that go over the wire. */

export type EventType = 'identify' | 'track' | 'page' | 'screen' | 'group' | 'alias';

/** Anything that JSON can carry. Loose on purpose: `Date` and `undefined` are welcome, JSON turns them. */
export type Properties = Record<string, unknown>;

/** What is known about a user or a group. */
export type Traits = Record<string, unknown>;

/** Which destinations an event may reach: `{ All: true, Webhook: false }`, or settings per destination. */
export type Integrations = Record<string, boolean | Properties>;

export interface Library {
  name: string;
  version: string;
}

/** Where an event comes from. Keys that are not listed travel unchanged. */
export interface Context {
  library?: Library;
  traits?: Traits;
  page?: Properties;
  campaign?: Properties;
  screen?: Properties;
  locale?: string;
  timezone?: string;
  userAgent?: string;
  sessionId?: number;
  sessionStart?: true;
  [key: string]: unknown;
}

/** An event as plugins see it and as the server receives it. */
export interface PintleEvent {
  type: EventType;
  /** Made when the event is tracked and the same on every retry: the server deduplicates by it. */
  messageId: string;
  /** When it happened by the client's clock, ISO 8601. */
  originalTimestamp: string;
  anonymousId?: string;
  userId?: string;
  channel?: string;
  context: Context;
  integrations?: Integrations;
  event?: string;
  name?: string;
  category?: string;
  properties?: Properties;
  traits?: Traits;
  groupId?: string;
  previousId?: string;
}

/** The events of a tracking plan: names to properties. The default takes any name. */
export type AnyEvents = Record<string, Properties>;

/** Names of the events that a plan knows. */
export type EventName<Events> = keyof Events & string;
