/** From what is kept on this computer to an open vault. */
import { createApi, Vault } from '@strongroom/client';
import { SHORTEST_NEW_PASSWORD, type SecretBytes } from '@strongroom/sealing';
import { keyFromAgent } from './agent.ts';
import type { CommandContext } from './context.ts';
import { CliError } from './errors.ts';
import { FileCache } from './file-cache.ts';
import { FileTrust } from './file-trust.ts';
import { type Profile, requireProfile, writeProfile } from './profile.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:7766';

export interface SignedIn {
  readonly profile: Profile;
  readonly vault: Vault;
}

/** The session of this computer; the vault is still locked. Throws `cli.not-signed-in`. */
export async function signedIn(context: CommandContext): Promise<SignedIn> {
  const profile = await requireProfile(context.state);
  const api = createApi({ baseUrl: profile.server, token: profile.token });
  const vault = new Vault({
    api,
    cache: new FileCache(context.state, profile.account),
    trust: new FileTrust(context.state, profile.account),
    // The former token is worth nothing from then on, whatever becomes of the command.
    onToken: async (token) => writeProfile(context.state, { ...(await requireProfile(context.state)), token }),
  });
  return { profile, vault };
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

/** A new password, asked for twice; from the variable where nobody need be asked. */
export async function newPassword(context: CommandContext, variable = 'STRONGROOM_PASSWORD'): Promise<string> {
  const given = context.environment[variable];
  if (given !== undefined && given !== '') return given;
  const terminal = context.terminal();
  const first = await terminal.askPassword(
    `Choose a password (at least ${SHORTEST_NEW_PASSWORD} characters; a sentence is best)`,
  );
  if (first === undefined || first === '') throw new CliError('cli.password-needed');
  const second = await terminal.askPassword('The same password again');
  if (first !== second) throw new CliError('cli.usage', { detail: 'The two passwords differ.' });
  return first;
}
