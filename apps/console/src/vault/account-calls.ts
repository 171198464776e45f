/** The account's own part of the vault's service: password, recovery, address, sessions, and the end. */
import {
  ClientError,
  proveDeletion,
  remoteLogSource,
  verifierKeys,
  type RemoteAccount,
  type Vault,
} from '@strongroom/client';
import type { Service } from './answer-calls.ts';
import type { AccountView, AccountCalls } from './account-protocol.ts';
import type { BrowserCache } from './browser-cache.ts';
import type { BrowserTrust } from './browser-trust.ts';

interface AccountServices {
  readonly vault: Vault;
  readonly cache: BrowserCache;
  readonly trust: BrowserTrust;
  /** Tells the device whose vault it is, and the page what to show. */
  readonly known: (account: RemoteAccount) => AccountView;
}

/** A certificate has about two thousand. */
const LARGEST_CERTIFICATE = 100_000;

export function accountCalls({ vault, cache, trust, known }: AccountServices): Service<AccountCalls> {
  return {
    refreshAccount: async () => known(await vault.resume()),

    async changePassword(_report, current, next) {
      await vault.changePassword(current, next);
      return known(vault.account!);
    },

    async renewRecoveryCode(_report, password) {
      const { recoveryCode } = await vault.renewRecoveryCode(password);
      return { account: known(vault.account!), recoveryCode: recoveryCode.reveal() };
    },

    async recover(_report, input) {
      const { recoveryCode } = await vault.recover({ ...input, transport: 'cookie' });
      return { account: known(vault.account!), recoveryCode: recoveryCode.reveal() };
    },

    changeEmail: async (_report, email, password) => known(await vault.changeEmail(email, password)),

    endOtherSessions: () => vault.endOtherSessions(),

    deletionPlan: () => vault.deletionPlan(),

    async deleteAccount(_report, input) {
      const { id } = vault.account!;
      try {
        return await vault.deleteAccount(input);
      } finally {
        // Also when the account went and its certificate is none.
        if (vault.account === null) {
          await cache.clear();
          await trust.forget(id);
        }
      }
    },

    async proveDeletion(_report, file) {
      const proved = await proveDeletion(
        await readCertificate(file),
        remoteLogSource(vault.api),
        await verifierKeys(vault.api),
      );
      return proved === null ? null : { index: proved.index, size: proved.size };
    },
  };
}

async function readCertificate(file: File): Promise<unknown> {
  if (file.size > LARGEST_CERTIFICATE) throw new ClientError('client.invalid-certificate');
  try {
    return JSON.parse(await file.text());
  } catch (cause) {
    throw new ClientError('client.invalid-certificate', { cause });
  }
}
