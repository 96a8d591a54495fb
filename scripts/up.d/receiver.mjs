// The demo's destination: prints every event it receives. `node receiver.mjs PORT`

import { createServer } from 'node:http';

const port = Number(process.argv[2]);
const bodyBytesMax = 4 * 1024 * 1024;

const server = createServer(async (request, response) => {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return response.writeHead(413).end();
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks).toString();
  console.log(`received ${request.method} ${request.url}\n${indent(pretty(body))}`);
  response.writeHead(200).end('ok');
});

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function indent(text) {
  return text.replace(/^/gm, '    ');
}

// Ctrl-C reaches every process of the terminal. Pintle still delivers then; scripts/up ends us after it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => process.exit(0));
server.on('error', (error) => {
  console.error(`the receiver cannot listen on port ${port}: ${error.code}`);
  process.exit(1);
});
server.listen(port, '127.0.0.1');
