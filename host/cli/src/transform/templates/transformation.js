// Runs on every event, in a sandbox. What it returns is delivered; returning nothing drops the event.
export function transformEvent(event, metadata) {
  if (event.event === 'Noise') return;

  if (event.properties?.email) {
    event.properties.emailDomain = event.properties.email.split('@')[1];
    delete event.properties.email;
  }
  return event;
}
