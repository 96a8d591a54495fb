// The world `script-engine-plugin`: no imports, so no way out.

import { load, transform } from './engine.js';

export const scriptEngine = { load, transform };
