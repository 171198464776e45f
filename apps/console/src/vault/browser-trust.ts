/**
 * What this browser knows of people's keys and of the epochs of spaces, in IndexedDB: `strongroom.trust`, store `accounts`, one text under the
 * id of each account. The text is `wrap` of `sealing` under the account's own key with the context `device-trust`, around
 *
 *   { keys: { [account]: KnownKey }, epochs: { [space]: number } }
 *
 * as padded JSON. So nobody reads in the profile folder whom somebody shares with, and nobody plants a key there. It outlives signing out, or a
 * key that was exchanged meanwhile would pass for a first one; deleting the account deletes it. Several tabs share it: a change is written only
 * over the state it was made from.
 *
 * Without room, or in a private window, it is remembered as long as the worker runs. What is damaged or cut off is unknown again: nothing is
 * sealed to anybody, or opened from them, until fingerprints were compared.
 */
import type { KnownKey, TrustStore } from '@strongroom/client';
import { fromUtf8, isUuid, utf8, type Uuid } from '@strongroom/kernel';
import { pad, SealingError, unpad, unwrap, wrap, type AccountKeys } from '@strongroom/sealing';
import { finished, openDatabase, settled } from './requests.ts';

interface Trusted {
  readonly keys: Readonly<Record<string, KnownKey>>;
  readonly epochs: Readonly<Record<string, number>>;
}

/** As it was read: the sealed text tells whether another tab has written since. */
interface Known {
  readonly account: Uuid;
  readonly sealed: string | null;
  readonly trusted: Trusted;
}

const DATABASE = 'strongroom.trust';
const STORE = 'accounts';
const NOTHING: Trusted = { keys: {}, epochs: {} };
/** A tab that was overtaken this often in a row is up against something else than tabs. */
const ATTEMPTS = 20;

export class BrowserTrust implements TrustStore {
  readonly #keys: () => AccountKeys;
  readonly #onProblem: (problem: 'no-room' | 'damaged') => void;
  #known: Known | null = null;

  /**
   * `keys` throws while the vault is locked, and so does everything here. `onProblem` is told, once or more often, that the browser
   * does not keep what it should (`no-room`), or that what it kept does not open and was dropped (`damaged`).
   */
  constructor(keys: () => AccountKeys, onProblem: (problem: 'no-room' | 'damaged') => void) {
    this.#keys = keys;
    this.#onProblem = onProblem;
  }

  async key(account: Uuid): Promise<KnownKey | null> {
    return (await this.#read(this.#keys())).trusted.keys[account] ?? null;
  }

  async putKey(account: Uuid, key: KnownKey): Promise<void> {
    await this.#change(({ keys, epochs }) => ({ keys: { ...keys, [account]: key }, epochs }));
  }

  async epoch(space: Uuid): Promise<number> {
    return (await this.#read(this.#keys())).trusted.epochs[space] ?? 0;
  }

  /** Another tab may have come further: the higher one stays. */
  async putEpoch(space: Uuid, epoch: number): Promise<void> {
    await this.#change(({ keys, epochs }) => ({
      keys,
      epochs: { ...epochs, [space]: Math.max(epoch, epochs[space] ?? 0) },
    }));
  }

  /** For an account that is no more. */
  async forget(account: Uuid): Promise<void> {
    if (this.#known?.account === account) this.#known = null;
    try {
      const database = await openDatabase(DATABASE, [STORE]);
      const transaction = database.transaction(STORE, 'readwrite');
      const done = finished(transaction);
      transaction.objectStore(STORE).delete(account);
      await done;
      database.close();
    } catch {
      this.#onProblem('no-room');
    }
  }

  async #change(change: (before: Trusted) => Trusted): Promise<void> {
    const keys = this.#keys();
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = await this.#read(keys);
      const trusted = change(before.trusted);
      const text = pad(utf8(JSON.stringify(trusted)));
      const sealed = await wrap(keys.wrappingKey, contextOf(keys), text);
      const written = await this.#replace(keys.account, before.sealed, sealed);
      if (written === 'overtaken') continue;
      // Where nothing can be kept, this visit still knows it.
      this.#known =
        written === 'kept'
          ? { account: keys.account, sealed, trusted }
          : {
              ...before,
              trusted: change(this.#known?.account === keys.account ? this.#known.trusted : before.trusted),
            };
      return;
    }
    this.#onProblem('no-room');
  }

  async #read(keys: AccountKeys): Promise<Known> {
    const { account } = keys;
    const mine = this.#known?.account === account ? this.#known : null;
    const sealed = await kept(account).catch(() => {
      this.#onProblem('no-room');
      return mine?.sealed ?? null;
    });
    if (mine !== null && mine.sealed === sealed) return mine;
    const opened = sealed === null ? NOTHING : await open(keys, sealed);
    if (opened === null || (mine !== null && sealed === null)) this.#onProblem('damaged');
    // Never less than this visit knew: who clears the store under an open vault does not make it forget.
    const known = { account, sealed, trusted: joined(mine?.trusted ?? NOTHING, opened ?? NOTHING) };
    this.#known = known;
    return known;
  }

  async #replace(account: Uuid, before: string | null, sealed: string): Promise<'kept' | 'overtaken' | 'not-kept'> {
    try {
      const database = await openDatabase(DATABASE, [STORE]);
      try {
        const transaction = database.transaction(STORE, 'readwrite');
        const done = finished(transaction);
        const store = transaction.objectStore(STORE);
        const same = textOf(await settled(store.get(account))) === before;
        if (same) store.put(sealed, account);
        await done;
        return same ? 'kept' : 'overtaken';
      } finally {
        database.close();
      }
    } catch {
      this.#onProblem('no-room');
      return 'not-kept';
    }
  }
}

const contextOf = ({ account }: AccountKeys) => ['device-trust', account] as const;

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

async function kept(account: Uuid): Promise<string | null> {
  const database = await openDatabase(DATABASE, [STORE]);
  try {
    return textOf(await settled(database.transaction(STORE).objectStore(STORE).get(account)));
  } finally {
    database.close();
  }
}

/** Null for what does not open. */
async function open(keys: AccountKeys, sealed: string): Promise<Trusted | null> {
  try {
    const value: unknown = JSON.parse(fromUtf8(unpad(await unwrap(keys.wrappingKey, contextOf(keys), sealed))));
    return isTrusted(value) ? value : null;
  } catch (error) {
    if (error instanceof SealingError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What was read last counts; epochs never fall. */
function joined(before: Trusted, now: Trusted): Trusted {
  const epochs: Record<string, number> = { ...before.epochs };
  for (const [space, epoch] of Object.entries(now.epochs)) epochs[space] = Math.max(epoch, epochs[space] ?? 0);
  return { keys: { ...before.keys, ...now.keys }, epochs };
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function isTrusted(value: unknown): value is Trusted {
  if (!isRecord(value) || !isRecord(value['keys']) || !isRecord(value['epochs'])) return false;
  return (
    Object.entries(value['keys']).every(([account, key]) => isUuid(account) && isKnownKey(key)) &&
    Object.entries(value['epochs']).every(([space, epoch]) => isUuid(space) && Number.isSafeInteger(epoch))
  );
}

function isKnownKey(value: unknown): value is KnownKey {
  if (!isRecord(value)) return false;
  const { publicKey, compared, since } = value;
  return typeof publicKey === 'string' && typeof compared === 'boolean' && typeof since === 'string';
}
