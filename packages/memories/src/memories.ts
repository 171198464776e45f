/** Single memories: create, replace, read, list, remove. */
import { audited, inSpace } from '@strongroom/pipeline';
import { versionAnswer, writtenAnswer } from './internal/answers.ts';
import { cursorAfterId, cursorAfterVersion, parseCursorAfterId, parseCursorAfterVersion } from './internal/cursor.ts';
import { tokenDigest } from './internal/digests.ts';
import { pageLimit, readLimit, writeLimit } from './internal/limits.ts';
import { listMemories, listVersions, readMemory } from './internal/read.ts';
import { refused } from './internal/refusal.ts';
import { removeMemory } from './internal/remove.ts';
import { defineRoute, type WriteCall } from './internal/routes.ts';
import { writeMemories, type Outcome, type Write } from './internal/write.ts';
import {
  DEFAULT_PAGE_ITEMS,
  MAXIMUM_MEMORY_BODY_BYTES,
  memoryList,
  memoryPath,
  memoryUpdate,
  memoryVersion,
  newMemory,
  pageQuery,
  removalQuery,
  removed,
  spacePath,
  written,
} from './wire.ts';

async function writeOne(call: WriteCall, write: Write): Promise<Outcome> {
  const { tenant, account } = call.account();
  const place = { tenant, space: call.path.space };
  const by = { author: account, now: call.services.clock.now() };
  // Before the write, so that a refused one names its memory in the log as well.
  call.record({ object: { type: 'memory', id: write.id }, subjects: [account], details: { space: place.space } });
  const result = await writeMemories(call.services.encryption, call.transaction, place, by, [write]);
  if (result.kind === 'refused') throw refused(result.refusals[0]!);
  const outcome = result.outcomes[0]!;
  // Which sealed token became this version and which one was before: whoever has them can prove it.
  const before = outcome.replaced === null ? {} : { before: outcome.replaced };
  const digests = { ...before, after: tokenDigest(write.token) };
  call.record({ details: { version: outcome.version, repeated: outcome.repeated }, digests });
  return outcome;
}

const create = defineRoute({
  method: 'POST',
  path: '/v1/spaces/{space}/memories',
  summary: 'Store a new sealed memory under an id made by the client; repeating the same request changes nothing',
  input: { path: spacePath, body: newMemory },
  output: written,
  status: 201,
  access: inSpace('memory.write'),
  assurance: 'session',
  limit: [writeLimit],
  audit: audited('memory.created'),
  bodyLimit: MAXIMUM_MEMORY_BODY_BYTES,
  async handler(call) {
    const outcome = await writeOne(call, { ...call.body, expectedVersion: 0 });
    return { status: outcome.repeated ? 200 : 201, body: writtenAnswer(outcome) };
  },
});

const update = defineRoute({
  method: 'PUT',
  path: '/v1/spaces/{space}/memories/{memory}',
  summary: 'Store the next version of a memory, if the expected version is still the current one',
  input: { path: memoryPath, body: memoryUpdate },
  output: written,
  access: inSpace('memory.write'),
  assurance: 'session',
  limit: [writeLimit],
  audit: audited('memory.updated'),
  bodyLimit: MAXIMUM_MEMORY_BODY_BYTES,
  async handler(call) {
    return { body: writtenAnswer(await writeOne(call, { ...call.body, id: call.path.memory })) };
  },
});

const remove = defineRoute({
  method: 'DELETE',
  path: '/v1/spaces/{space}/memories/{memory}',
  summary: 'Delete a memory with all its versions; a tombstone without content stays in the change feed',
  input: { path: memoryPath, query: removalQuery },
  output: removed,
  access: inSpace('memory.delete'),
  assurance: 'session',
  limit: [writeLimit],
  audit: audited('memory.deleted'),
  async handler(call) {
    const { tenant, account } = call.account();
    const place = { tenant, space: call.path.space };
    const removal = { id: call.path.memory, expectedVersion: call.query.expectedVersion };
    call.record({ object: { type: 'memory', id: removal.id }, subjects: [account], details: { space: place.space } });
    const { encryption, clock } = call.services;
    const by = { account, now: clock.now() };
    const tombstone = await removeMemory(encryption, call.transaction, place, by, removal);
    if ('code' in tombstone) throw refused(tombstone);
    const { id, version, sequence, at, repeated, removed: before } = tombstone;
    call.record({ details: { version, repeated }, ...(before === null ? {} : { digests: { before } }) });
    return { body: { id, version, sequence, deletedAt: at.toISOString() } };
  },
});

const read = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}/memories/{memory}',
  summary: 'The current version of one memory',
  input: { path: memoryPath },
  output: memoryVersion,
  access: inSpace('memory.read'),
  assurance: 'session',
  limit: [readLimit],
  audit: audited('memory.read'),
  async handler(call) {
    const { tenant } = call.account();
    const { space, memory: id } = call.path;
    call.record({ object: { type: 'memory', id }, details: { space } });
    const row = await readMemory(call.services.encryption, call.transaction, { tenant, space }, id);
    call.record({ subjects: [row.author], details: { version: row.version } });
    return { body: versionAnswer(row) };
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}/memories',
  summary: 'The current versions of the memories in a space, by id',
  input: { path: spacePath, query: pageQuery },
  output: memoryList,
  access: inSpace('memory.read'),
  assurance: 'session',
  limit: [pageLimit],
  audit: audited('memory.listed'),
  async handler(call) {
    const { tenant } = call.account();
    const { space } = call.path;
    const { cursor, limit = DEFAULT_PAGE_ITEMS } = call.query;
    const after = cursor === undefined ? undefined : parseCursorAfterId(cursor);
    call.record({ object: { type: 'space', id: space } });
    const { rows, more, last } = await listMemories(
      call.services.encryption,
      call.transaction,
      { tenant, space },
      { after, limit },
    );
    const subjects = [...new Set(rows.map((row) => row.author))];
    call.record({ subjects, details: { count: rows.length } });
    return { body: { items: rows.map(versionAnswer), next: more ? cursorAfterId(last!.id) : null } };
  },
});

const versions = defineRoute({
  method: 'GET',
  path: '/v1/spaces/{space}/memories/{memory}/versions',
  summary: 'All versions of one memory, newest first',
  input: { path: memoryPath, query: pageQuery },
  output: memoryList,
  access: inSpace('memory.read'),
  assurance: 'session',
  limit: [pageLimit],
  audit: audited('memory.versions-listed'),
  async handler(call) {
    const { tenant } = call.account();
    const { space, memory: id } = call.path;
    const { cursor, limit = DEFAULT_PAGE_ITEMS } = call.query;
    const before = cursor === undefined ? undefined : parseCursorAfterVersion(cursor);
    call.record({ object: { type: 'memory', id }, details: { space } });
    const { rows, more, last } = await listVersions(call.services.encryption, call.transaction, { tenant, space }, id, {
      before,
      limit,
    });
    const subjects = [...new Set(rows.map((row) => row.author))];
    call.record({ subjects, details: { count: rows.length } });
    return { body: { items: rows.map(versionAnswer), next: more ? cursorAfterVersion(last!.version) : null } };
  },
});

export const memoryRoutes = [create, update, remove, read, list, versions];
