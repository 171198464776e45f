/** The process behind `strongroom unlock`: agent-main SOCKET ACCOUNT SECONDS, the key on standard input. */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { SecretBytes } from '@strongroom/sealing';

const [socketPath, account, seconds] = process.argv.slice(2);
if (socketPath === undefined || account === undefined || seconds === undefined) process.exit(2);

const key = SecretBytes.fromBase64Url('unlock key', (await text(process.stdin)).trim());

function end(): never {
  key.wipe();
  rmSync(socketPath!, { force: true });
  process.exit(0);
}

/** A request is one short line; more is not for us. */
const LONGEST_REQUEST = 200;

const server = createServer({ allowHalfOpen: true }, (socket) => {
  let request = '';
  socket.setEncoding('utf8');
  socket.setTimeout(2000, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: string) => {
    request += chunk;
    if (request.length > LONGEST_REQUEST) socket.destroy();
  });
  socket.on('end', () => {
    const [verb, of] = request.trim().split(' ');
    if (verb === 'key') socket.end(of === account ? key.revealBase64Url() : 'none');
    else if (verb === 'stop') socket.end('stopped', end);
    else socket.end('none');
  });
});

// The socket appears readable by its owner only, not a moment later.
process.umask(0o177);
rmSync(socketPath, { force: true });
server.listen(socketPath, () => {
  process.stdout.write('ready\n');
});
server.on('error', () => process.exit(1));
// The starter closes its end once it has read "ready".
process.stdout.on('error', () => {});
setTimeout(end, Number(seconds) * 1000);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
