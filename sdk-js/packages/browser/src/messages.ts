import type { Context, Integrations, PintleEvent, Properties } from '@pintle/core';
import { idFirst, pageArguments } from './arguments.js';
import type { Identity } from './identity.js';
import type { CallOptions } from './options.js';
import type { Sessions } from './session.js';

export type Method = 'identify' | 'track' | 'page' | 'screen' | 'group' | 'alias';

export interface MessageSources {
  identity: Identity;
  sessions: Sessions;
  integrations: Integrations;
}

/** What the browser showed when the call was made. */
export interface View {
  context(): Context;
  page(): Properties;
}

export interface Call {
  method: Method;
  args: unknown[];
  /** Milliseconds since 1970. */
  at: number;
  messageId: string;
  view: View;
}

/** Turns a call's arguments into an event; `identify` and `group` also remember who it was. */
export function createMessages({ identity, sessions, integrations }: MessageSources) {
  function message({ method, at, messageId, view }: Call, own: Partial<PintleEvent>, given: unknown): PintleEvent {
    const options = (given ?? {}) as CallOptions;
    const person = identity.value;
    return {
      type: method,
      channel: 'web',
      messageId,
      originalTimestamp: iso(options.timestamp ?? options.originalTimestamp ?? at),
      anonymousId: options.anonymousId ?? person.anonymousId,
      ...(person.userId && { userId: person.userId }),
      context: { ...view.context(), ...sessions.touch(at), traits: person.traits, ...options.context },
      integrations: options.integrations ?? integrations,
      ...own,
    };
  }

  const makers: Record<Method, (call: Call) => PintleEvent> = {
    identify(call) {
      const { id, traits, options } = idFirst(call.args);
      const person = identity.value;
      // Another person's traits must not leak into this one's.
      const before = id === undefined || id === person.userId || !person.userId ? person.traits : {};
      identity.update({ userId: id ?? person.userId, traits: { ...before, ...traits } });
      return message(call, { traits: identity.value.traits }, options);
    },
    track(call) {
      const [event, properties, options] = call.args;
      return message(call, { event: String(event), properties: (properties ?? {}) as Properties }, options);
    },
    page: viewed,
    screen: viewed,
    group(call) {
      const { id, traits, options } = idFirst(call.args);
      const person = identity.value;
      const groupId = id ?? person.groupId;
      const before = groupId === person.groupId ? person.groupTraits : {};
      identity.update({ groupId, groupTraits: { ...before, ...traits } });
      return message(call, { groupId, traits: identity.value.groupTraits }, options);
    },
    alias(call) {
      const [to, from, options] = call.args;
      const { userId, anonymousId } = identity.value;
      return message(call, { userId: String(to), previousId: String(from ?? (userId || anonymousId)) }, options);
    },
  };

  function viewed(call: Call) {
    const { category, name, properties, options } = pageArguments(call.args);
    const names = { ...(name && { name }), ...(category && { category }) };
    const seen = call.method === 'page' ? call.view.page() : {};
    return message(call, { ...names, properties: { ...seen, ...names, ...properties } }, options);
  }

  return (call: Call): PintleEvent => makers[call.method](call);
}

function iso(time: Date | string | number): string {
  return typeof time === 'string' ? time : new Date(time).toISOString();
}
