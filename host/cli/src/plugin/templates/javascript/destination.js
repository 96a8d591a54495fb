// What becomes of an event on its way to the destination. Nothing is sent here: the host sends, retries and
// keeps order. There is no clock, randomness or network to reach for; `context.nowMs` is the time of the call.

/** What is wrong with a configuration beyond what the manifest's schema says: a list of {path, message}. */
export function configure(config) {
  return /^https?:\/\/[^/?#]/i.test(config.url) ? [] : [{ path: '/url', message: 'must start with http:// or https://' }];
}

/**
 * One request, or a list of them: {method, url, query?, headers?, json? | form? | text?, gzip?};
 * or {filter: reason}, or {reject: reason}. An exception rejects the event as well.
 */
export function transform(event, { config }) {
  const who = event.userId ?? event.context?.traits?.id ?? event.anonymousId;
  if (!who) return { reject: 'the event names nobody' };
  const document = documentOf(event, who);
  if (!document) return { filter: `events of type ${event.type} have no counterpart there` };
  const headers = config.token ? { authorization: `Bearer ${config.token}` } : {};
  return { method: 'POST', url: config.url, headers, json: document };
}

function documentOf(event, who) {
  switch (event.type) {
    case 'track':
      return { kind: 'event', who, name: event.event, properties: event.properties };
    case 'identify':
      return { kind: 'person', who, email: event.traits?.email ?? event.context?.traits?.email };
    default:
      return undefined;
  }
}
