/** The vault as a person uses it: an account with its session and keys. What is done with open spaces and with people is inherited. */
import { systemClock, type Clock, type Uuid } from '@strongroom/kernel';
import type { AccountKeys, SecretBytes, SecretText } from '@strongroom/sealing';
import {
  deriveUnlockKey,
  reauthenticate,
  signIn,
  signUp,
  unlockWith,
  type SignInOptions,
  type SignUpOptions,
  type Started,
} from './account.ts';
import {
  changePassword,
  checkDeletionCertificate,
  recover,
  renewRecoveryCode,
  type RecoverOptions,
  type Session,
} from './account-life.ts';
import type { Api } from './api.ts';
import { ClientError } from './errors.ts';
import type { RemoteAccount } from './internal/answers.ts';
import { keptProfile, keptRecord } from './internal/kept-profile.ts';
import type { DeletionCertificate, RemoteDeletionPlan } from './internal/people-calls.ts';
import { parseInvitationCode } from './invitation-code.ts';
import type { DeviceCache } from './internal/space-copy.ts';
import type { Sharing } from './sharing.ts';
import { InMemoryTrustStore, type TrustStore } from './trust-store.ts';
import { VaultMemories } from './vault-memories.ts';

export interface VaultOptions {
  readonly api: Api;
  /** Of the account that will sign in. */
  readonly cache: DeviceCache;
  /** What this device knows of people's keys, of the same account; kept as long as the program runs when absent. */
  readonly trust?: TrustStore;
  /** Called with every new bearer token of the session, before anything else is asked under it: for whoever keeps it. */
  readonly onToken?: (token: string) => Promise<void> | void;
  readonly clock?: Clock;
}

export class Vault extends VaultMemories {
  #api: Api;
  readonly #trust: TrustStore;
  readonly #onToken: NonNullable<VaultOptions['onToken']>;
  readonly #clock: Clock;
  #account: RemoteAccount | null = null;
  #keys: AccountKeys | null = null;

  readonly #cache: DeviceCache;

  constructor(options: VaultOptions) {
    super(options.cache);
    this.#cache = options.cache;
    this.#api = options.api;
    this.#trust = options.trust ?? new InMemoryTrustStore();
    this.#onToken = options.onToken ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
  }

  /** With the session's token in it. */
  get api(): Api {
    return this.#api;
  }

  /** Null before `signUp`, `signIn` or `resume`. */
  get account(): RemoteAccount | null {
    return this.#account;
  }

  get locked(): boolean {
    return this.#keys === null;
  }

  /**
   * Answers with the bearer token (null for a cookie session) and the recovery code, which is shown this once. The inviter's key, where the
   * invitation came with it, counts as compared: it did not come through the server.
   */
  async signUp(options: SignUpOptions): Promise<{ readonly token: string | null; readonly recoveryCode: SecretText }> {
    const { token, inviter } = parseInvitationCode(options.invitation);
    const started = await signUp(this.#api, { ...options, invitation: token });
    this.#start(started);
    if (inviter !== null) {
      const since = new Date(this.#clock.now()).toISOString();
      await this.#trust.putKey(inviter.account, { publicKey: inviter.publicKey, compared: true, since });
    }
    return { token: started.started.token, recoveryCode: started.recoveryCode };
  }

  /** Signs in and unlocks. Answers with the bearer token, null for a cookie session. */
  async signIn(options: SignInOptions): Promise<{ readonly token: string | null }> {
    const started = await signIn(this.#api, options);
    this.#start(started);
    return { token: started.started.token };
  }

  #start({ started, keys }: Started): void {
    this.lock();
    this.#account = started.account;
    this.#keys = keys;
    if (started.token !== null) this.#api = this.#api.withToken(started.token);
  }

  /** Continues the session that the api's token or the browser's cookie stands for; the vault stays locked. */
  async resume(): Promise<RemoteAccount> {
    const account = await this.#api.account();
    if (this.#account !== null && this.#account.id !== account.id) this.lock();
    this.#account = account;
    return account;
  }

  /** Throws `client.wrong-password`. */
  async unlock(password: string): Promise<void> {
    const key = await this.deriveUnlockKey(password);
    key.wipe();
  }

  /**
   * Unlocks, and answers with the key that does so again through `unlockWith` until the password is changed: for a program that keeps
   * the vault open for a while. Whoever holds it can open everything; wipe it. Throws `client.wrong-password`.
   */
  async deriveUnlockKey(password: string): Promise<SecretBytes> {
    const key = await deriveUnlockKey(this.#account ?? (await this.resume()), password);
    try {
      await this.unlockWith(key);
    } catch (error) {
      key.wipe();
      throw error;
    }
    return key;
  }

  /**
   * Unlocks with what this device keeps of the account, without asking the server: for when it does not answer, since a password that was
   * changed elsewhere is not known here. False when nothing is kept. Throws `client.wrong-password`.
   */
  async unlockKept(password: string): Promise<boolean> {
    const record = await keptRecord(this.#cache);
    if (record === null) return false;
    const key = await deriveUnlockKey({ record }, password);
    const keys = await unlockWith({ record }, key).finally(() => key.wipe());
    const profile = await keptProfile(this.#cache, keys);
    if (profile === null) return false;
    this.lock();
    this.#account = profile.account;
    this.#keys = keys;
    return true;
  }

  /** Does not wipe the key. Throws `client.wrong-password` for one of another account or of a former password. */
  async unlockWith(key: SecretBytes): Promise<void> {
    const account = this.#account ?? (await this.resume());
    const keys = await unlockWith(account, key);
    this.lock();
    this.#keys = keys;
  }

  /** Proves the password again for what needs it. Answers with the session's new bearer token, null for a cookie session. */
  async reauthenticate(password: string): Promise<{ readonly token: string | null }> {
    const account = this.#account ?? (await this.resume());
    const token = await reauthenticate(this.#api, account, password);
    await this.#renew(token);
    return { token };
  }

  async #renew(token: string | null): Promise<void> {
    if (token === null) return;
    this.#api = this.#api.withToken(token);
    await this.#onToken(token);
  }

  /**
   * Wraps the account's key anew; the vault stays open. Every other session ends. Answers with this session's new bearer token, null for a cookie
   * session. Throws `client.wrong-password` and `sealing.invalid-password`, and nothing was changed then.
   */
  async changePassword(current: string, next: string): Promise<{ readonly token: string | null }> {
    const account = this.#account ?? (await this.resume());
    const { session, token } = this.#followedSession();
    this.#account = await changePassword(session, account, current, next);
    return { token: token() };
  }

  /**
   * Makes a new recovery code, which is shown this once; the former one is worthless. Everything else stays, the vault open and every session too.
   * Answers with this session's new bearer token as well, null for a cookie session. Throws `client.wrong-password`, and nothing was changed then.
   */
  async renewRecoveryCode(
    password: string,
  ): Promise<{ readonly token: string | null; readonly recoveryCode: SecretText }> {
    const known = this.#account ?? (await this.resume());
    const { session, token } = this.#followedSession();
    const { account, recoveryCode } = await renewRecoveryCode(session, known, password);
    this.#account = account;
    return { token: token(), recoveryCode };
  }

  /** This vault's session for what changes its token, and the last token it got. */
  #followedSession(): { readonly session: Session; readonly token: () => string | null } {
    let token: string | null = null;
    const session: Session = {
      api: () => this.#api,
      renew: (renewed) => {
        token = renewed;
        return this.#renew(renewed);
      },
    };
    return { session, token: () => token };
  }

  /**
   * For whoever lost the password: sets a new one with the recovery code and unlocks. Answers with the bearer token and the new recovery code, which
   * is shown this once; the former is worthless, and every other session has ended.
   */
  async recover(
    options: RecoverOptions,
  ): Promise<{ readonly token: string | null; readonly recoveryCode: SecretText }> {
    const recovered = await recover(this.#api, options);
    this.#start(recovered);
    return { token: recovered.started.token, recoveryCode: recovered.recoveryCode };
  }

  /** Throws `authentication.email-in-use` and `authentication.wrong-secret`. */
  async changeEmail(email: string, password: string): Promise<RemoteAccount> {
    await this.reauthenticate(password);
    this.#account = await this.#api.changeEmail({ email });
    return this.#account;
  }

  /** How many of the account's other sessions were ended. */
  async endOtherSessions(): Promise<number> {
    return this.#api.endOtherSessions();
  }

  /** What `deleteAccount` would destroy, hand over and leave. */
  async deletionPlan(): Promise<RemoteDeletionPlan> {
    return this.#api.deletionPlan();
  }

  /**
   * Deletes the account with everything the plan names, and locks. `confirmation` is the account's e-mail address as somebody typed it. Answers
   * with a certificate to keep: `proveDeletion` finds it in the audit log. Throws `authentication.wrong-confirmation`,
   * `authorization.last-owner` and `memories.owner-needed`; nothing was changed then.
   */
  async deleteAccount(options: {
    readonly password: string;
    readonly confirmation: string;
    readonly deleteSpaces?: readonly Uuid[];
  }): Promise<DeletionCertificate> {
    const { password, confirmation, deleteSpaces = [] } = options;
    const account = this.#account ?? (await this.resume());
    await this.reauthenticate(password);
    const answer = await this.#api.deleteAccount({ confirmation, deleteSpaces: [...deleteSpaces] });
    for (const space of this.openSpaces()) await this.leftSpace(space.id);
    this.lock();
    this.#account = null;
    const certificate = checkDeletionCertificate(answer);
    if (certificate.account !== account.id) throw new ClientError('client.invalid-certificate');
    return certificate;
  }

  protected sharing(): Sharing {
    return { api: this.#api, keys: this.#unlocked(), trust: this.#trust, clock: this.#clock };
  }

  /** Drops every key and everything opened. What the engine has not collected yet is out of reach. */
  lock(): void {
    this.#keys = null;
    this.closeSpaces();
  }

  /** Ends the session on the server and locks. */
  async signOut(): Promise<void> {
    this.lock();
    this.#account = null;
    await this.#api.endSession('current');
  }

  #unlocked(): AccountKeys {
    if (this.#account === null) throw new ClientError('client.signed-out');
    if (this.#keys === null) throw new ClientError('client.locked');
    return this.#keys;
  }
}
