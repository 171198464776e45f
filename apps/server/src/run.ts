/** From arguments to a running process and its exit code. */
import process from 'node:process';
import { StrongroomError } from '@strongroom/kernel';
import pino, { type Logger } from 'pino';
import { createLogger, describeError } from './log.ts';
import { HELP, parseOptions } from './options.ts';
import type { RunningServer } from './serve.ts';

const EXIT = { ok: 0, failed: 1, usage: 2, folderInUse: 3 } as const;

/** Milliseconds for requests under way to finish; then the process ends all the same. */
const SHUTDOWN_LIMIT = 15_000;

/** Resolves with the exit code once the server has stopped, or could not start. */
export async function runServer(argv: readonly string[]): Promise<number> {
  let logger = createLogger('silent', pino.destination(2));
  // Before the options are understood, since that may fail.
  const json = argv.includes('--json');
  try {
    const options = parseOptions(argv, process.env, process.stderr.isTTY);
    if (options === 'help') {
      process.stdout.write(HELP);
      return EXIT.ok;
    }
    // Synchronous: what was logged before a crash is there after it.
    logger = createLogger(options.logLevel, pino.destination({ fd: 2, sync: true }));
    // Not before: help and a wrong option need nothing of what a server is made of.
    const { serve } = await import('./serve.ts');
    const server = await serve(options, logger);
    announce(server, json);
    return await untilAsked(server, logger, json);
  } catch (error) {
    return report(error, logger, json);
  }
}

function announce(server: RunningServer, json: boolean): void {
  if (json) {
    const { url, metricsUrl = null, setupLink = null, warnings } = server;
    process.stdout.write(`${JSON.stringify({ url, metricsUrl, setupLink, warnings })}\n`);
    return;
  }
  const lines = [`Strongroom is at ${server.url}`];
  if (server.metricsUrl !== undefined) lines.push(`Metrics are at ${server.metricsUrl}`);
  for (const warning of server.warnings) lines.push(`Note: ${warning}`);
  if (server.setupLink !== undefined) {
    lines.push(
      '',
      'There is no account yet. This link makes its holder the owner; it works once, within 24 hours:',
      `  ${server.setupLink}`,
      'On the command line:',
      `  npx strongroom signup --invitation '${server.setupLink}'`,
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The first signal asks for an orderly end; a second one, or the time limit, ends at once. */
function untilAsked(server: RunningServer, logger: Logger, json: boolean): Promise<number> {
  return new Promise((resolve) => {
    let asked = false;
    const end = (): void => {
      if (asked) process.exit(EXIT.failed);
      asked = true;
      setTimeout(() => process.exit(EXIT.failed), SHUTDOWN_LIMIT).unref();
      server.stop().then(
        () => resolve(EXIT.ok),
        (error: unknown) => resolve(report(error, logger, json)),
      );
    };
    process.on('SIGINT', end);
    process.on('SIGTERM', end);
  });
}

/** One line for people, or one object for programs; class, code and stack of foreign errors for the log. */
function report(error: unknown, logger: Logger, json: boolean): number {
  const known = error instanceof StrongroomError;
  if (!known) logger.fatal({ error: describeError(error) }, 'stopped by an unexpected error');
  const code = known ? error.code : 'server.unexpected';
  const message = known
    ? `${error.publicMessage}${error.detail === undefined ? '' : ` ${error.detail}`}`
    : 'Stopped by an unexpected error; its stack is in the log (--log-level error).';
  process.stderr.write(
    json ? `${JSON.stringify({ error: { code, message } })}\n` : `strongroom: ${message} [${code}]\n`,
  );
  if (code === 'server.bad-option' || code === 'server.insecure-address') return EXIT.usage;
  return ['storage.folder-in-use', 'server.data-in-use'].includes(code) ? EXIT.folderInUse : EXIT.failed;
}
