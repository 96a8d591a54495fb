// The world `script-engine-net-plugin`: one import, which carries requests to the host.

import { fetchBatch } from 'pintle:plugin/network@0.1.0';
import { load, transform } from './engine.js';
import { connect } from './network.js';

connect(fetchBatch);

export const scriptEngine = { load, transform };
