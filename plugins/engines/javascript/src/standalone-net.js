// The world `transformation-net-plugin`: the same script, with an import that carries its requests to the host.

import { fetchBatch } from 'pintle:plugin/network@0.1.0';
import { connect } from './network.js';

connect(fetchBatch);

export { transformation } from './standalone.js';
