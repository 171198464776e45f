/** Which server and account this computer is signed in to. Holds the session token and sealed keys, no key that opens anything. */
import { type Uuid, isUuid } from '@strongroom/kernel';
import type { AccountRecord } from '@strongroom/sealing';
import { CliError } from './errors.ts';
import type { StateFolder } from './state.ts';

const FILE = 'profile.json';

export interface Profile {
  readonly format: 1;
  readonly server: string;
  readonly account: Uuid;
  readonly email: string;
  readonly token: string;
  /** As it was at sign-in: the server cannot change it under us afterwards. */
  readonly record: AccountRecord;
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== 'object' || value === null) return false;
  const fields = value as Record<string, unknown>;
  return (
    fields['format'] === 1 &&
    typeof fields['server'] === 'string' &&
    isUuid(fields['account']) &&
    typeof fields['email'] === 'string' &&
    typeof fields['token'] === 'string' &&
    typeof fields['record'] === 'object' &&
    fields['record'] !== null
  );
}

export const readProfile = (state: StateFolder): Promise<Profile | undefined> => state.readJson(isProfile, FILE);

/** Throws `cli.not-signed-in`. */
export async function requireProfile(state: StateFolder): Promise<Profile> {
  const profile = await readProfile(state);
  if (profile === undefined) throw new CliError('cli.not-signed-in');
  return profile;
}

export const writeProfile = (state: StateFolder, profile: Profile): Promise<void> =>
  state.write(`${JSON.stringify(profile, null, 2)}\n`, FILE);

export const removeProfile = (state: StateFolder): Promise<void> => state.remove(FILE);
