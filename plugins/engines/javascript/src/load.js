// Turns the linked modules into a handler.

import { append, defineProperty, replace } from './intrinsics.js';
import { describe, userFiles } from './failure.js';
import evaluate from './evaluate.js';

export const HANDLERS = ['transformEvent', 'transformBatch'];
/** What code of version 0 declares: a script and no module, with one function for the whole batch. */
export const VERSION_0 = 'transform';
/** How the host says that it is one: no module can export that name. */
const IS_VERSION_0 = 'version-0:transform';

const evaluateGlobally = eval;

/** The one handler that is exported, or a `script-error`. */
export function handlerName(exports, file) {
  let found;
  let names = '';
  for (let i = 0; i < exports.length; i++) {
    const name = exports[i];
    names += `${i === 0 ? '' : ','}${name}`;
    if (name === IS_VERSION_0) return VERSION_0;
    if (name !== HANDLERS[0] && name !== HANDLERS[1]) continue;
    if (found !== undefined) throw scriptError(file, `Expected one of transformEvent,transformBatch. Found transformEvent,transformBatch`);
    found = name;
  }
  if (found === undefined) {
    throw scriptError(file, `Expected one of transformEvent,transformBatch. Found ${names === '' ? 'no exports' : names}`);
  }
  return found;
}

/**
 * Evaluates the modules in order, each in a scope of its own, and returns the handler.
 *
 * A module's prelude binds what it imports; its text is evaluated within that scope, so that no line and
 * no column of it moves. A library's last expression is the object of its exports, written by the host.
 */
export function handlerOf(modules, name) {
  const files = [];
  for (let i = 0; i < modules.length; i++) {
    // An address ends at the first space; names of transformations do not.
    const address = `${replace(modules[i].name, /[^\w./-]/g, '_')}${i === modules.length - 1 ? '' : `#${i}`}`;
    append(files, { address, name: modules[i].name });
  }
  userFiles(files);

  const registry = { __proto__: null };
  let result;
  for (let i = 0; i < modules.length; i++) {
    const { name: file, importName, source, prelude } = modules[i];
    const ending = `\n//# sourceURL=${files[i].address}`;
    try {
      if (i < modules.length - 1) {
        result = within(prelude, registry)(`${source}${ending}`);
        defineProperty(registry, importName, { __proto__: null, value: result });
      } else {
        const text = `${source}\n;typeof ${name} === 'undefined' ? undefined : ${name}${ending}`;
        // A script is not strict and its variables are global.
        result = name === VERSION_0 ? evaluateGlobally(text) : within(prelude, registry)(text);
      }
    } catch (thrown) {
      throw positioned(thrown, file);
    }
  }
  if (typeof result !== 'function') throw scriptError(files[files.length - 1].name, `${name} is exported, but no function of that name is declared at the top level`);
  return result;
}

/** A function that evaluates text in the scope of a prelude, which finds the other modules in `arguments[1]`. */
const within = (prelude, registry) => evaluate(`${prelude}\n;(function () { return eval(arguments[0]); })`, registry);

/** The `script-error` of something that the top level threw. */
function positioned(thrown, file) {
  const failure = describe(thrown);
  if (failure.line > 0) return scriptError(failure.file, failure.message, failure.line, failure.column, failure.stack);
  // A syntax error has no frame of its own; the engine notes the place on the error.
  const { lineNumber, columnNumber } = syntaxPosition(thrown);
  return scriptError(file, failure.message, lineNumber, columnNumber, '');
}

function syntaxPosition(thrown) {
  if (!(thrown instanceof SyntaxError)) return { lineNumber: 0, columnNumber: 0 };
  const { lineNumber, columnNumber } = thrown;
  const known = typeof lineNumber === 'number' && typeof columnNumber === 'number';
  return known ? { lineNumber, columnNumber } : { lineNumber: 0, columnNumber: 0 };
}

export function scriptError(module, message, line = 0, column = 0, stack = '') {
  return { payload: { module, message, line, column, stack } };
}
