// Turns the linked modules into a handler.

import { append } from './intrinsics.js';
import { describe, userFiles } from './failure.js';
import evaluate from './evaluate.js';

export const HANDLERS = ['transformEvent', 'transformBatch'];

/** The one handler that is exported, or a `script-error`. */
export function handlerName(exports, file) {
  let found;
  let names = '';
  for (let i = 0; i < exports.length; i++) {
    const name = exports[i];
    names += `${i === 0 ? '' : ','}${name}`;
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
 * Evaluates the modules in order, each in the scope of the one before, and returns the handler.
 *
 * A module's last expression hands out what comes next: for a library a function that evaluates in its
 * scope, for the user's module the handler. It stands behind the source, so that positions stay.
 */
export function handlerOf(modules, name) {
  const files = [];
  for (let i = 0; i < modules.length; i++) append(files, modules[i].name);
  userFiles(files);

  let scope = evaluate;
  for (let i = 0; i < modules.length; i++) {
    const { name: file, source } = modules[i];
    const isLast = i === modules.length - 1;
    const result = isLast ? `typeof ${name} === 'undefined' ? undefined : ${name}` : '(function () { return eval(arguments[0]); })';
    try {
      scope = scope(`${source}\n;${result}\n//# sourceURL=${file}`);
    } catch (thrown) {
      throw positioned(thrown, file);
    }
  }
  if (typeof scope !== 'function') throw scriptError(files[files.length - 1], `${name} is exported, but no function of that name is declared at the top level`);
  return scope;
}

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
