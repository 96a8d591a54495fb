// The same in a CommonJS module: `require` resolves to other files with declarations of their own.
import { createClient, type Client } from '@pintle/browser';
import { Analytics, type Stats } from '@pintle/node';

export const browser: Client = createClient();
browser.load('WK', 'https://events.example.com');
browser.track('Anything', { a: 1 });
const client = new Analytics('WK', { dataPlaneUrl: 'https://events.example.com' });
client.track({ userId: '1', event: 'Anything' });
export const closed: Promise<Stats> = client.close();
