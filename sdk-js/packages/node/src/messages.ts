import type { EventType, Integrations, PintleEvent } from '@pintle/core';
import type { AliasCall, Common, GroupCall, IdentifyCall, PageCall, TrackCall, Whose } from './api.js';
import { NAME, VERSION } from './version.js';

/** What any of the calls may carry. */
export type AnyCall = Common &
  Partial<Whose> &
  Partial<Pick<IdentifyCall, 'traits'>> &
  Partial<Pick<TrackCall<string, object>, 'event'>> &
  Partial<Pick<PageCall, 'name' | 'category' | 'properties'>> &
  Partial<Pick<GroupCall, 'groupId'>> &
  Partial<Pick<AliasCall, 'previousId'>>;

/** What each type cannot do without; the server would refuse the whole batch for one that lacks an id. */
const REQUIRED: Partial<Record<EventType, 'event' | 'groupId' | 'previousId'>> = {
  track: 'event',
  group: 'groupId',
  alias: 'previousId',
};

const LIBRARY = { name: NAME, version: VERSION };

/** The event that goes over the wire. Throws where the call cannot become one. */
export function message(
  type: EventType,
  call: AnyCall,
  defaults: { messageId: string; now: number; integrations: Integrations },
): PintleEvent {
  const [userId, anonymousId] = [text(call.userId), text(call.anonymousId)];
  if (!userId && !anonymousId) throw new TypeError('it needs a userId or an anonymousId');
  const required = REQUIRED[type];
  if (required && !text(call[required])) throw new TypeError(`${type} needs ${required}`);

  const { timestamp } = call;
  const names = { ...(call.name && { name: call.name }), ...(call.category && { category: call.category }) };
  const viewed = type === 'page' || type === 'screen';
  const about = type === 'identify' || type === 'group';
  return {
    type,
    channel: 'server',
    messageId: defaults.messageId,
    originalTimestamp: typeof timestamp === 'string' ? timestamp : new Date(timestamp ?? defaults.now).toISOString(),
    ...(userId && { userId }),
    ...(anonymousId && { anonymousId }),
    context: { library: LIBRARY, ...(type === 'identify' && { traits: call.traits ?? {} }), ...call.context },
    integrations: call.integrations ?? defaults.integrations,
    ...(type === 'track' && { event: text(call.event), properties: call.properties ?? {} }),
    ...(viewed && { ...names, properties: { ...names, ...call.properties } }),
    ...(about && { traits: call.traits ?? {} }),
    ...(type === 'group' && { groupId: text(call.groupId) }),
    ...(type === 'alias' && { previousId: text(call.previousId) }),
  };
}

/** Ids may be numbers; the wire has strings. */
function text(value: string | number | null | undefined): string {
  return value === undefined || value === null ? '' : String(value);
}
