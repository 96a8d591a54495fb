/** What `context.library` says; a test compares it with package.json. */
export const NAME = '@pintle/node';
export const VERSION = '0.1.0';
