import { type TransportOptions, utf8 } from '@pintle/core';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { GZIP_BYTES_MIN } from './options.js';

const compress = promisify(gzip);

/** Compresses bodies off the main thread. */
export const gzipped: NonNullable<TransportOptions['encode']> = async (text) => {
  const body = utf8(text);
  if (body.length < GZIP_BYTES_MIN) return { body, headers: {} as Record<string, string> };
  return { body: await compress(body), headers: { 'content-encoding': 'gzip' } };
};
