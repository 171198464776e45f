/**
 * A new key for a space: what closes everything that comes later to those who are removed. Key, name, removal and every member's share are
 * one transaction under the space's lock, so no memory can be written in between under a key that a removed member has.
 */
import { removeSpaceRole, spaceMembers } from '@strongroom/authorization';
import { audited, inSpace } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { MemoriesError } from './errors.ts';
import { spaceAnswer } from './internal/answers.ts';
import { deleteKeys, insertOwnKey, insertSharedKeys, isOwnKey } from './internal/key-store.ts';
import { sharingLimit } from './internal/limits.ts';
import { defineRoute } from './internal/routes.ts';
import { sendersOf } from './internal/senders.ts';
import { lockSpaceFor } from './internal/sequence.ts';
import { readSpace } from './internal/space-store.ts';
import { tables, type SpacePlace } from './internal/tables.ts';
import { rankCheck } from './sharing.ts';
import { MAXIMUM_SHARING_BODY_BYTES, rotation, space as spaceSchema, spacePath } from './wire.ts';

const rotate = defineRoute({
  method: 'POST',
  path: '/v1/spaces/{space}/rotation',
  summary: 'Give a space a new key, sealed to every member who stays, and remove members with it',
  input: { path: spacePath, body: rotation },
  output: spaceSchema,
  access: inSpace('space.share'),
  assurance: 'session',
  limit: [sharingLimit],
  audit: audited('space.key-rotated'),
  bodyLimit: MAXIMUM_SHARING_BODY_BYTES,
  async handler(call) {
    const { transaction, body } = call;
    const { tenant, account } = call.account();
    const { space } = call.path;
    const place = { tenant, space };
    const removed = [...new Set(body.removed)];
    const { epoch } = body;
    call.record({
      object: { type: 'space', id: space },
      subjects: [account, ...removed],
      details: { epoch, removed: removed.length },
    });
    const current = await lockSpaceFor(transaction, place, { account, permission: 'space.share' });
    const members = await spaceMembers(transaction, { tenant, spaces: [space] });
    // Under the lock whoever may do this is a member.
    const { role } = members.find((member) => member.account === account)!;
    const own = { account, epoch, wrappedKey: body.wrappedKey };
    const repeated = current.epoch === epoch && (await isOwnKey(transaction, place, own));
    if (!repeated) {
      if (current.epoch + 1 !== epoch) {
        throw new MemoriesError('memories.stale-epoch', { members: { currentEpoch: current.epoch } });
      }
      if (removed.includes(account)) throw new MemoriesError('memories.cannot-remove-self');
      const unknown = new Set(removed);
      for (const member of members) {
        if (unknown.delete(member.account)) rankCheck(members, account, member.account);
      }
      // Somebody else removed them first: what the caller wanted is true, and the key still changes.
      const staying = members.filter((member) => member.account !== account && !removed.includes(member.account));
      requireEverybody(
        staying.map((member) => member.account),
        body.keys.map((key) => key.account),
      );
      for (const one of removed) {
        if (!unknown.has(one)) await removeSpaceRole(transaction, { tenant, space, account: one });
      }
      await deleteKeys(transaction, place, removed);
      await setKey(transaction, place, epoch, body.sealedName);
      const now = call.services.clock.now();
      await insertOwnKey(transaction, place, { ...own, now });
      const shared = body.keys.map((key) => ({ ...key, epoch }));
      await insertSharedKeys(transaction, place, { sender: account, now }, shared);
    }
    call.record({ details: { repeated, members: body.keys.length + 1 } });
    const row = await readSpace(transaction, place, account);
    return { body: spaceAnswer(row, role, await sendersOf(call, [row])) };
  },
});

/** Nobody who stays is locked out, and nobody else gets a share. */
function requireEverybody(staying: readonly string[], given: readonly string[]): void {
  const missing = staying.filter((account) => !given.includes(account));
  const unexpected = given.filter((account) => !staying.includes(account));
  if (missing.length + unexpected.length > 0) {
    throw new MemoriesError('memories.incomplete-rotation', { members: { missing, unexpected } });
  }
}

async function setKey(
  transaction: Transaction,
  place: SpacePlace,
  epoch: number,
  sealedName: Uint8Array,
): Promise<void> {
  await tables(transaction)
    .updateTable('spaces')
    .set({ epoch, sealed_name: sealedName, rotation_due: false })
    .where('tenant_id', '=', place.tenant)
    .where('id', '=', place.space)
    .execute();
}

export const rotationRoutes = [rotate];
