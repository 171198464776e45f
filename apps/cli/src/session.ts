/** From what is kept on this computer to an open vault. */
import { createApi, Vault } from '@strongroom/client';
import { SHORTEST_NEW_PASSWORD, type SecretBytes } from '@strongroom/sealing';
import { keyFromAgent } from './agent.ts';
import type { CommandContext } from './context.ts';
import { CliError } from './errors.ts';
import { FileCache } from './file-cache.ts';
import { type Profile, requireProfile } from './profile.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:7766';

export interface SignedIn {
  readonly profile: Profile;
  readonly vault: Vault;
}

/** The session of this computer; the vault is still locked. Throws `cli.not-signed-in`. */
export async function signedIn(context: CommandContext): Promise<SignedIn> {
  const profile = await requireProfile(context.state);
  const api = createApi({ baseUrl: profile.server, token: profile.token });
  return { profile, vault: new Vault({ api, cache: new FileCache(context.state, profile.account) }) };
}

/** With keys: from the unlock agent, else from the password. */
export async function unlocked(context: CommandContext): Promise<SignedIn> {
  const session = await signedIn(context);
  const { vault, profile } = session;
  const account = await vault.resume();
  if (account.id !== profile.account || JSON.stringify(account.record.salt) !== JSON.stringify(profile.record.salt)) {
    throw new CliError('cli.not-signed-in', { detail: 'The account changed on the server since the last sign-in.' });
  }
  const key = await keyFromAgent(context.state, profile.account);
  if (key === undefined) await vault.unlock(await password(context, `Password of ${profile.email}`));
  else await unlockAndWipe(vault, key);
  return session;
}

async function unlockAndWipe(vault: Vault, key: SecretBytes): Promise<void> {
  try {
    await vault.unlockWith(key);
  } finally {
    key.wipe();
  }
}

/** From STRONGROOM_PASSWORD, else by asking. Throws `cli.password-needed`. */
export async function password(context: CommandContext, message: string): Promise<string> {
  const given = context.environment['STRONGROOM_PASSWORD'];
  if (given !== undefined && given !== '') return given;
  const typed = await context.terminal().askPassword(message);
  if (typed === undefined || typed === '') throw new CliError('cli.password-needed');
  return typed;
}

/** A new password, asked for twice. */
export async function newPassword(context: CommandContext): Promise<string> {
  const first = await password(context, `Choose a password (at least ${SHORTEST_NEW_PASSWORD} characters; a sentence is best)`);
  if (context.environment['STRONGROOM_PASSWORD'] === first) return first;
  const second = await password(context, 'The same password again');
  if (first !== second) throw new CliError('cli.usage', { detail: 'The two passwords differ.' });
  return first;
}
