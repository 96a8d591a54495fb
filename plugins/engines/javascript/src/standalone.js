// The world `transformation-plugin`: one script, loaded while its component is built.
//
// The script is `prepared.js`, which the build writes beside this file. What its top level sets up is part
// of the component, as it is of an instance of the engine that has loaded it.

import { load, transform as transformLoaded } from './engine.js';
import { ctx, exports, modules } from './prepared.js';

try {
  load(ctx, modules, exports, []);
} catch (thrown) {
  // The build has no other ear than its log.
  throw new Error(JSON.stringify(thrown?.payload ?? String(thrown)));
}

export const transformation = { transform: transformLoaded };
