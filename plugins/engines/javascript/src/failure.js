// Errors of user code, as the user should see them: message, the frames of their own files, position.

import { append, indexOf, lastIndexOf, slice, stackOf, startsWith, stringify, toNumber, toText } from './intrinsics.js';

const MESSAGE_CHARS_MAX = 4096;
const FRAMES_MAX = 20;

/** The user's files: the address under which the engine knows each, and its name. */
let files = [];

/** Notes the user's files: frames elsewhere are the engine's and are left out. */
export function userFiles(known) {
  files = known;
}

/** `{message, frames, line, column}` of anything that can be thrown. */
export function describe(thrown) {
  const frames = userFrames(stackOf(thrown));
  return {
    message: messageOf(thrown),
    stack: render(frames),
    file: frames.length > 0 ? frames[0].file : undefined,
    line: frames.length > 0 ? frames[0].line : 0,
    column: frames.length > 0 ? frames[0].column : 0,
  };
}

/** `TypeError: x is undefined`, or the best that can be said of a value that is no error. */
function messageOf(thrown) {
  let message;
  try {
    if (typeof thrown === 'object' && thrown !== null) {
      const said = thrown.message;
      const name = thrown.name;
      if (typeof said === 'string') {
        message = typeof name === 'string' && name !== '' ? (said === '' ? name : `${name}: ${said}`) : said;
      } else {
        message = stringify(thrown) ?? toText(thrown);
      }
    } else {
      message = toText(thrown);
    }
  } catch {
    message = 'something was thrown that cannot be shown';
  }
  if (typeof message !== 'string') message = 'something was thrown that cannot be shown';
  return message.length > MESSAGE_CHARS_MAX ? `${slice(message, 0, MESSAGE_CHARS_MAX)}…` : message;
}

/** SpiderMonkey writes a frame as `name@file:line:column`, one per line. */
function userFrames(stack) {
  const frames = [];
  let from = 0;
  while (from < stack.length && frames.length < FRAMES_MAX) {
    let to = indexOf(stack, '\n', from);
    if (to === -1) to = stack.length;
    const frame = frameOf(slice(stack, from, to));
    if (frame !== undefined) append(frames, frame);
    from = to + 1;
  }
  return frames;
}

function frameOf(text) {
  const at = lastIndexOf(text, '@');
  const columnAt = lastIndexOf(text, ':');
  const lineAt = lastIndexOf(text, ':', columnAt - 1);
  if (at === -1 || lineAt <= at) return undefined;
  const file = nameOfFile(slice(text, at + 1, lineAt));
  if (file === undefined) return undefined;
  return {
    name: nameOf(slice(text, 0, at)),
    file,
    line: toNumber(slice(text, lineAt + 1, columnAt)),
    column: toNumber(slice(text, columnAt + 1)),
  };
}

function nameOfFile(address) {
  for (let i = 0; i < files.length; i++) if (files[i].address === address) return files[i].name;
  return undefined;
}

/** `async*outer/inner<` is an anonymous function inside `outer/inner`: it has no name to show. */
function nameOf(name) {
  if (startsWith(name, 'async*')) name = slice(name, 6);
  const inner = lastIndexOf(name, '/');
  if (inner !== -1) name = slice(name, inner + 1);
  return indexOf(name, '<') === -1 ? name : '';
}

function render(frames) {
  let text = '';
  for (let i = 0; i < frames.length; i++) {
    const { name, file, line, column } = frames[i];
    const place = `${file}:${line}:${column}`;
    text += `${i === 0 ? '' : '\n'}    at ${name === '' ? place : `${name} (${place})`}`;
  }
  return text;
}
