/** What an unlocked vault does with other people: invite them, know their keys, share spaces with them and take them back. */
import type { Removal } from '@strongroom/authorization/wire';
import type { Uuid } from '@strongroom/kernel';
import { fingerprintOf } from '@strongroom/sealing';
import { ClientError } from './errors.ts';
import type { RemoteSpace } from './internal/answers.ts';
import type { OpenSpace } from './internal/open-space.ts';
import type { RemoteInvitation } from './internal/people-calls.ts';
import { invitationCode } from './invitation-code.ts';
import { listPeople, listSpacePeople, rotate, share, trustKey, type Role, type Sharing } from './sharing.ts';
import type { Person, Space, SpacePerson } from './vault-types.ts';

/** Somebody else changed the key or the members of a space first. */
const CHANGED_MEANWHILE = new Set(['memories.stale-epoch', 'memories.incomplete-rotation']);

/** Every verb throws `client.signed-out` or `client.locked` for a vault that is not open. */
export abstract class VaultPeople {
  protected abstract sharing(): Sharing;
  protected abstract openSpaces(): readonly OpenSpace[];
  /** As the server has it now. */
  protected abstract refreshedSpace(space: Uuid): Promise<OpenSpace>;
  /** Takes over what a change of the key gave. */
  protected abstract changedSpace(remote: RemoteSpace): Promise<Space>;
  /** Forgets a space on this device. */
  protected abstract leftSpace(space: Uuid): Promise<void>;

  /** The own one, for others to compare. */
  async fingerprint(): Promise<string> {
    return fingerprintOf(this.sharing().keys);
  }

  /** `code` is for the invited person, who thereby knows this account's key; `token` is what the server knows. */
  async invite(role: Role): Promise<{ id: Uuid; token: string; code: string; role: string; expiresAt: string }> {
    const { api, keys } = this.sharing();
    const invitation = await api.invite({ role });
    return { ...invitation, code: invitationCode(invitation.token, keys) };
  }

  /** The tenant's open ones, newest first. */
  async invitations(): Promise<RemoteInvitation[]> {
    const found: RemoteInvitation[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.sharing().api.invitations(cursor);
      found.push(...page.items);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return found;
  }

  async withdrawInvitation(invitation: Uuid): Promise<void> {
    await this.sharing().api.withdrawInvitation(invitation);
  }

  /** Everybody in the tenant, with fingerprints and how far this device knows them. */
  async members(): Promise<Person[]> {
    return listPeople(this.sharing());
  }

  /** Needs a recent proof of the password: `reauthenticate`. */
  async changeRole(account: Uuid, role: Role): Promise<void> {
    await this.sharing().api.changeRole(account, { role });
  }

  /**
   * Takes somebody out of the tenant and all its spaces and ends their sessions; needs a recent proof of the password. Throws
   * `authorization.spaces-would-end` with `members.endingSpaces` until that number is given. Afterwards, rotate the keys of spaces that ask for it.
   */
  async removeMember(account: Uuid, options: { readonly endingSpaces?: number } = {}): Promise<Removal> {
    return this.sharing().api.removeMember(account, options.endingSpaces);
  }

  /**
   * Remembers somebody's key by its fingerprint, which the person was asked for, or, with `compared: false`, which is taken as the server shows
   * it. Spaces they shared open with the next `listSpaces`. Throws `client.fingerprint-differs`.
   */
  async trust(account: Uuid, fingerprint: string, options: { readonly compared?: boolean } = {}): Promise<void> {
    const pending = this.openSpaces().flatMap((space) => space.pending ?? []);
    await trustKey(this.sharing(), account, fingerprint, { compared: options.compared ?? true, pending });
  }

  async spaceMembers(space: Uuid): Promise<SpacePerson[]> {
    return listSpacePeople(this.sharing(), space);
  }

  /**
   * Lets somebody of the tenant into a space, or changes their role there. `history: false` keeps what was sealed under former keys closed. Throws
   * `client.unknown-key` until their key is known (`trust`), `client.key-changed` when the server shows another one than before.
   */
  async shareSpace(
    space: Uuid,
    account: Uuid,
    role: Role,
    options: { readonly history?: boolean } = {},
  ): Promise<void> {
    await this.#retryingOnce(space, (open) => share(this.sharing(), open, account, role, options.history ?? true));
  }

  /** Removes members and gives the space a new key, which they do not get: what they could read they may have kept, nothing later. */
  async unshareSpace(space: Uuid, accounts: readonly Uuid[]): Promise<Space> {
    return this.#retryingOnce(space, async (open) => this.changedSpace(await rotate(this.sharing(), open, accounts)));
  }

  /** A new key for everybody: due when somebody left. */
  async rotateSpace(space: Uuid): Promise<Space> {
    return this.unshareSpace(space, []);
  }

  async leaveSpace(space: Uuid): Promise<void> {
    const { api, keys } = this.sharing();
    await api.leaveSpace(space, keys.account);
    await this.leftSpace(space);
  }

  /** Under the present state of the space; once more when somebody else changed key or members in between. */
  async #retryingOnce<Result>(space: Uuid, work: (open: OpenSpace) => Promise<Result>): Promise<Result> {
    const attempt = async (): Promise<Result> => work(await this.refreshedSpace(space));
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ClientError) || !CHANGED_MEANWHILE.has(error.code)) throw error;
      return attempt();
    }
  }
}
