// The engine itself: takes a script, then transforms batches with it.
//
// This module and what it imports run once while the component is built; the state of the heap is what
// every instance starts from. What is set up here is therefore free at run time, and what a user does
// to it stays in that user's instance.

import { append, parse, textOf, toNumber, toText } from './intrinsics.js';
import * as clock from './clock.js';
import * as consoleLog from './console.js';
import * as globals from './globals.js';
import * as network from './network.js';
import * as random from './random.js';
import * as reply from './reply.js';
import { describe } from './failure.js';
import { VERSION_0, handlerName, handlerOf } from './load.js';
import { exchangeOnce } from './loop.js';
import { seal, shieldedBytes, shieldedPromise } from './shield.js';
import { transformBatch } from './batch.js';
import { transformEvents } from './events.js';

random.install(globalThis);
clock.install(globalThis);
consoleLog.install(globalThis);
globals.install(globalThis);
network.install(globalThis);
seal(globalThis);

/** The loaded script: `{name, handler}`. */
let script;

function begin(ctx, inputs) {
  clock.begin(toNumber(ctx.nowMs));
  consoleLog.begin();
  globals.begin(inputs);
  network.begin();
  reply.begin();
}

/** Takes a script; throws a `script-error`. */
export function load(ctx, modules, exports, credentials) {
  begin(ctx, []);
  globals.entrust(credentials);
  random.use(random.stream(toText(ctx.randomSeed)));
  const name = handlerName(exports, modules[modules.length - 1].name);
  if (name === VERSION_0) globals.installVersion0(globalThis);
  script = { name, handler: handlerOf(modules, name) };
  const logs = [];
  consoleLog.lines((_, message) => append(logs, message));
  return { __proto__: null, handler: name, logs };
}

async function answer(ctx, batch) {
  try {
    if (script === undefined) throw 'no script has been loaded';
    const inputs = parse(textOf(batch));
    begin(ctx, inputs);
    const seed = toText(ctx.randomSeed);
    const seedOf = ({ seed: own, metadata, message }, index) =>
      `${seed}/${own ?? metadata?.messageId ?? message.messageId ?? index}`;
    if (script.name === 'transformEvent') await transformEvents(script.handler, inputs, seedOf, globals.metadata);
    else await transformBatch(script.handler, inputs, seedOf, globals.metadata);
    // What nobody waits for is sent all the same.
    await exchangeOnce();
    return shieldedBytes(reply.finish());
  } catch (thrown) {
    // Only the engine's own failures come here; the host then tries each event alone.
    throw { payload: describe(thrown).message };
  }
}

/** Transforms a batch with the script. */
export const transform = (ctx, batch) => shieldedPromise(answer(ctx, batch));
