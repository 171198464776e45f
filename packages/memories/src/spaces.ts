/** Spaces: each has a name and keys that only its members can open. */
import { assignSpaceRole, spaceRolesOf } from '@strongroom/authorization';
import { audited, inCurrentTenant, inSpace } from '@strongroom/pipeline';
import { MemoriesError } from './errors.ts';
import { spaceAnswer } from './internal/answers.ts';
import { cursorAfterId, parseCursorAfterId } from './internal/cursor.ts';
import { newSpaceLimit, pageLimit, readLimit } from './internal/limits.ts';
import { defineRoute } from './internal/routes.ts';
import { sendersOf } from './internal/senders.ts';
import { insertSpace, listSpaces, readSpace } from './internal/space-store.ts';
import { DEFAULT_PAGE_ITEMS, newSpace, pageQuery, space, spaceList, spacePath } from './wire.ts';

const create = defineRoute({
  method: 'POST',
  path: '/v1/spaces',
  summary:
    'Create a space under an id, a sealed name and a wrapped key made by the client; the caller becomes its owner',
  input: { body: newSpace },
  output: space,
  status: 201,
  access: inCurrentTenant('space.create'),
  assurance: 'session',
  limit: [newSpaceLimit],
  audit: audited('space.created'),
  async handler(call) {
    const { tenant, account } = call.account();
    const { id } = call.body;
    const by = { tenant, account, now: call.services.clock.now() };
    const created = await insertSpace(call.transaction, by, call.body);
    if (created) await assignSpaceRole(call.transaction, { tenant, space: id, account, role: 'owner' });
    const role = created ? 'owner' : (await spaceRolesOf(call.transaction, by)).get(id);
    // The creator has left the space since: it is no longer theirs to see.
    if (role === undefined) throw new MemoriesError('memories.space-exists');
    call.record({ object: { type: 'space', id }, subjects: [account], details: { repeated: !created } });
    const row = await readSpace(call.transaction, { tenant, space: id }, account);
    return { status: created ? 201 : 200, body: spaceAnswer(row, role, await sendersOf(call, [row])) };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/spaces',
  summary: "The caller's spaces, each with the caller's role and wrapped keys",
  input: { query: pageQuery },
  output: spaceList,
  access: inCurrentTenant('space.list'),
  assurance: 'session',
  limit: [pageLimit],
  audit: audited('space.listed'),
  async handler(call) {
    const by = call.account();
    const { cursor, limit = DEFAULT_PAGE_ITEMS } = call.query;
    const after = cursor === undefined ? undefined : parseCursorAfterId(cursor);
    const roles = await spaceRolesOf(call.transaction, by);
    const { rows, more } = await listSpaces(call.transaction, by, [...roles.keys()], { after, limit });
    call.record({ subjects: [by.account], details: { count: rows.length } });
    const senders = await sendersOf(call, rows);
    const items = rows.map((row) => spaceAnswer(row, roles.get(row.id)!, senders));
    return { body: { items, next: more ? cursorAfterId(rows.at(-1)!.id) : null } };
  },
});

const read = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}',
  summary: "One space with the caller's role and wrapped keys",
  input: { path: spacePath },
  output: space,
  access: inSpace('space.read'),
  assurance: 'session',
  limit: [readLimit],
  audit: audited('space.read'),
  async handler(call) {
    const by = call.account();
    const place = { tenant: by.tenant, space: call.path.space };
    const role = (await spaceRolesOf(call.transaction, by)).get(place.space);
    if (role === undefined) throw new MemoriesError('memories.space-not-found');
    call.record({ object: { type: 'space', id: place.space }, subjects: [by.account] });
    const row = await readSpace(call.transaction, place, by.account);
    return { body: spaceAnswer(row, role, await sendersOf(call, [row])) };
  },
});

export const spaceRoutes = [create, list, read];
