/** Structured logs that cannot hold secrets or personal data, because only known fields are ever passed on. */
import { StrongroomError } from '@strongroom/kernel';
import pino, { type DestinationStream, type Logger } from 'pino';
import type { JobLog, LogPort } from 'strongroom';
import type { LogLevel } from './options.ts';

/** Frames of a stack without its first line, which repeats the message. */
function frames(error: Error): string[] {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 12)
    .map((line) => line.trim());
}

/**
 * An error as it may be logged: class, code and stack frames, and the same of its causes. Messages are kept of our own
 * errors only, whose texts are constant; a foreign message may quote what somebody typed or a row of the database.
 */
export function describeError(error: unknown, depth = 0): Record<string, unknown> {
  if (!(error instanceof Error)) return { class: typeof error };
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const message = error instanceof StrongroomError ? { message: error.publicMessage } : {};
  const cause = error.cause === undefined || depth === 3 ? {} : { cause: describeError(error.cause, depth + 1) };
  return { class: error.name, ...code, ...message, frames: frames(error), ...cause };
}

export const createLogger = (level: LogLevel, destination: DestinationStream): Logger =>
  pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'message' }, destination);

/** What requests and jobs report, as log lines. */
export const structuredLog = (logger: Logger): LogPort & JobLog => ({
  request(entry) {
    logger.info(entry, 'request');
  },
  failure(requestId, route, error) {
    logger.error({ requestId, route, error: describeError(error) }, 'request failed');
  },
  jobFinished(run) {
    if (run.outcome === 'failure') logger.error(run, 'job failed');
    else logger.debug(run, 'job finished');
  },
});
