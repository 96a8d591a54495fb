// Runs on every event, in a sandbox. What it returns is delivered; returning nothing drops the event.
// TypeScript that can be erased: types and interfaces, but no enums, namespaces or parameter properties.
interface Event {
  type: string;
  event?: string;
  properties?: Record<string, unknown> & { email?: string };
}

export function transformEvent(event: Event, metadata: (event: Event) => Record<string, unknown>): Event | undefined {
  if (event.event === 'Noise') return;

  const email: string | undefined = event.properties?.email;
  if (event.properties && email) {
    event.properties.emailDomain = email.split('@')[1];
    delete event.properties.email;
  }
  return event;
}
