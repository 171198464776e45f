/** A change whose answer did not arrive: nobody here knows whether the server made it, so it is asked. */
import { equalBytes, fromBase64Url } from '@strongroom/kernel';
import type { AccountRecord } from '@strongroom/sealing';
import type { Api } from '../api.ts';
import { ClientError } from '../errors.ts';

/** Milliseconds between two questions, and how often it is asked: for two minutes. A server that restarts is back by then. */
const ASK_EVERY = 10_000;
const QUESTIONS = 12;

const isLost = (error: unknown): boolean =>
  error instanceof ClientError && (error.code === 'client.unreachable' || error.code === 'client.timeout');

/**
 * Runs a change of the account's record. When its answer is lost and the server turns out to have the new record, `again` takes the place of the
 * answer. Throws what the change threw when nothing was changed, and `client.outcome-unknown` when the server stays away.
 */
export async function knowingTheOutcome<Answer>(
  change: () => Promise<Answer>,
  again: () => Promise<Answer>,
  place: { readonly api: Api; readonly email: string; readonly record: AccountRecord },
): Promise<Answer> {
  try {
    return await change();
  } catch (error) {
    if (!isLost(error)) throw error;
    if (!(await hasRecord(place))) throw error;
    return again();
  }
}

/**
 * Runs a change that may be repeated until the server answers, whatever it answers. Throws `client.recovery-code-unknown` when the server stays
 * away: which code counts is not known then.
 */
export async function untilAnswered<Answer>(change: () => Promise<Answer>): Promise<Answer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await change();
    } catch (cause) {
      if (!isLost(cause)) throw cause;
      if (attempt === QUESTIONS) throw new ClientError('client.recovery-code-unknown', { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}

/** The salt tells: each record of a password has its own, and everybody may ask for it. */
async function hasRecord(place: { api: Api; email: string; record: AccountRecord }): Promise<boolean> {
  const { api, email, record } = place;
  for (let question = 1; ; question += 1) {
    try {
      const { salt } = await api.signInParameters(email);
      return equalBytes(salt, fromBase64Url(record.salt));
    } catch (cause) {
      if (!isLost(cause) || question === QUESTIONS) throw new ClientError('client.outcome-unknown', { cause });
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY));
  }
}
