import type { Context, Properties } from '@pintle/core';
import type { View } from './messages.js';
import { NAME, VERSION } from './version.js';

const CAMPAIGN_PARAMETER = /^utm_(.+)/;

/** What the browser says about itself and the page. */
export function createView(): View {
  // Asking for the time zone costs more than all the rest of an event, and the answer does not change.
  const lasting: Context = {
    library: { name: NAME, version: VERSION },
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    userAgent: navigator.userAgent,
  };
  const entry = { initial_referrer: document.referrer || '$direct', initial_referring_domain: host(document.referrer) };
  let seen = '';
  let address: Pick<Context, 'campaign'> & { parts: Properties } = { parts: {} };

  /** Parsed once per address. */
  function here() {
    if (location.href !== seen) {
      seen = location.href;
      address = { parts: { path: location.pathname, search: location.search, url: seen }, ...campaign() };
    }
    return address;
  }

  function page(): Properties {
    const { referrer, title } = document;
    return { ...here().parts, title, referrer, referring_domain: host(referrer), ...entry };
  }

  return {
    page,
    context() {
      const { width, height } = screen;
      return {
        ...lasting,
        page: page(),
        screen: { width, height, density: devicePixelRatio, innerWidth, innerHeight },
        ...('campaign' in here() && { campaign: here().campaign }),
      };
    },
  };
}

/** `utm_campaign` is the campaign's name; the others keep theirs. */
function campaign(): Pick<Context, 'campaign'> {
  const found: Properties = {};
  new URLSearchParams(location.search).forEach((value, name) => {
    const key = CAMPAIGN_PARAMETER.exec(name)?.[1];
    if (key) found[key === 'campaign' ? 'name' : key] = value;
  });
  return Object.keys(found).length ? { campaign: found } : {};
}

function host(url: string): string {
  try {
    return new URL(url).hostname;
  } catch {
    return '';
  }
}

/** The same, as it is now: for a call whose event is made later. */
export function frozen(view: View): View {
  const context = view.context();
  const page = view.page();
  return { context: () => context, page: () => page };
}
