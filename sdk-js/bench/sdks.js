// The SDKs that are compared: what is bundled, and how each is started in a page. All are bundled the same way.
import { build } from 'esbuild';

/** `load(url)` runs in the page, with the bundle's exports as `sdk`, and resolves to a `track(name, properties)`. */
export const sdks = {
  '@pintle/browser': {
    source: "export * from '@pintle/browser'",
    load: async (url) => {
      sdk.load('WK', url);
      await sdk.ready();
      return (name, properties) => void sdk.track(name, properties);
    },
  },
  '@rudderstack/analytics-js/bundled': {
    source: "export { RudderAnalytics } from '@rudderstack/analytics-js/bundled'",
    load: async (url) => {
      const client = new sdk.RudderAnalytics();
      client.load('WK', url, { configUrl: url });
      await new Promise((resolve) => client.ready(resolve));
      return (name, properties) => client.track(name, properties);
    },
  },
  '@rudderstack/analytics-js/bundled, batching': {
    source: "export { RudderAnalytics } from '@rudderstack/analytics-js/bundled'",
    load: async (url) => {
      const client = new sdk.RudderAnalytics();
      client.load('WK', url, { configUrl: url, queueOptions: { batch: { enabled: true, maxItems: 20, flushInterval: 2_000 } } });
      await new Promise((resolve) => client.ready(resolve));
      return (name, properties) => client.track(name, properties);
    },
  },
  '@segment/analytics-next': {
    source: "export { AnalyticsBrowser } from '@segment/analytics-next'",
    load: async (url) => {
      const apiHost = `${new URL(url).host}/v1`;
      const client = sdk.AnalyticsBrowser.load(
        { writeKey: 'WK', cdnURL: url },
        { integrations: { 'Segment.io': { apiHost, protocol: 'http' } } },
      );
      await client.ready();
      return (name, properties) => void client.track(name, properties);
    },
  },
};

/** One minified file; code that an SDK would load later is in it. */
export async function bundle(source, format) {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format,
    globalName: format === 'iife' ? 'sdk' : undefined,
    target: 'es2020',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return outputFiles[0].contents;
}
