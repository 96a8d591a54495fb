import type { Clock } from './clock.js';

/**
 * A version 4 UUID. `crypto.randomUUID` is not used: browsers have it only on https pages, and a test could
 * not repeat it.
 */
export function uuid(random: Clock['random']): string {
  let hex = '';
  for (let word = 0; word < 4; word++) {
    hex += Math.floor(random() * 0x100000000).toString(16).padStart(8, '0');
  }
  const variant = '89ab'[parseInt(hex[16]!, 16) & 3];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
