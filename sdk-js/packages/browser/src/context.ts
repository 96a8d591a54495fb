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
  const { referrer } = document;
  const referring_domain = host(referrer);
  const referral = {
    referrer,
    referring_domain,
    initial_referrer: referrer || '$direct',
    initial_referring_domain: referring_domain,
  };
  let url = '';
  let address: Properties = {};
  let marketing: Pick<Context, 'campaign'> = {};

  function page(): Properties {
    // Parsed once per address; a document's referrer never changes.
    if (location.href !== url) {
      url = location.href;
      address = { path: location.pathname, search: location.search, url };
      marketing = campaign();
    }
    return { ...address, title: document.title, ...referral };
  }

  return {
    page,
    context() {
      const { width, height } = screen;
      return {
        ...lasting,
        page: page(),
        screen: { width, height, density: devicePixelRatio, innerWidth, innerHeight },
        ...marketing,
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
