/** The part of the worker that deals with other people. */
import { ClientError, type Space, type Vault } from '@strongroom/client';
import type { Service } from './answer-calls.ts';
import type { PeopleCalls, RemovalView } from './people-protocol.ts';

export const createPeopleService = (vault: Vault): Service<PeopleCalls> => ({
  async prove(_report, password) {
    await vault.reauthenticate(password);
  },
  fingerprint: () => vault.fingerprint(),

  members: () => vault.members(),
  changeRole: (_report, account, role) => vault.changeRole(account, role),

  async removeMember(_report, account, endingSpaces) {
    await vault.removeMember(account, { endingSpaces });
    return rotateDue(vault);
  },

  async invite(_report, role) {
    const { id, code, role: given, expiresAt } = await vault.invite(role);
    return { id, code, role: given, expiresAt };
  },
  invitations: () => vault.invitations(),
  withdrawInvitation: (_report, invitation) => vault.withdrawInvitation(invitation),

  trust: (_report, account, fingerprint, compared) => vault.trust(account, fingerprint, { compared }),

  spaceMembers: (_report, space) => vault.spaceMembers(space),
  shareSpace: (_report, space, account, role, history) => vault.shareSpace(space, account, role, { history }),
  unshareSpace: (_report, space, accounts) => vault.unshareSpace(space, accounts),
  leaveSpace: (_report, space) => vault.leaveSpace(space),
});

/** Roles that may change the key of a space. */
const MAY_ROTATE = new Set(['owner', 'admin']);

/** Somebody was removed: every space that this account may close to them is closed now. What cannot be is told, not hidden. */
async function rotateDue(vault: Vault): Promise<RemovalView> {
  let rotated = 0;
  const due: Space[] = [];
  for (const space of await vault.listSpaces()) {
    if (!space.rotationDue || !MAY_ROTATE.has(space.role)) continue;
    try {
      await vault.rotateSpace(space.id);
      rotated += 1;
    } catch (error) {
      // The removal stands; the space goes on saying that a new key is due.
      if (!(error instanceof ClientError)) throw error;
      due.push(space);
    }
  }
  return { rotated, due };
}
