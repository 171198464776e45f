/** Many memories in one transaction: what an import uses. All are stored or none is. */
import { audited, inSpace } from '@strongroom/pipeline';
import { MemoriesError } from './errors.ts';
import { writtenAnswer } from './internal/answers.ts';
import { tokenDigest, versionsDigest } from './internal/digests.ts';
import { batchLimit } from './internal/limits.ts';
import { refusalMembers } from './internal/refusal.ts';
import { defineRoute } from './internal/routes.ts';
import { writeMemories } from './internal/write.ts';
import { MAXIMUM_BATCH_BYTES, batch, batchWritten, spacePath } from './wire.ts';

const write = defineRoute({
  method: 'POST',
  path: '/v1/spaces/{space}/memories/batch',
  summary: 'Create or replace up to 100 memories, all or none; repeating the same request changes nothing',
  input: { path: spacePath, body: batch },
  output: batchWritten,
  access: inSpace('memory.write'),
  assurance: 'session',
  limit: [batchLimit],
  audit: audited('memory.batch-written'),
  bodyLimit: MAXIMUM_BATCH_BYTES,
  async handler(call) {
    const { tenant, account } = call.account();
    const place = { tenant, space: call.path.space };
    const by = { author: account, now: call.services.clock.now() };
    call.record({
      object: { type: 'space', id: place.space },
      subjects: [account],
      details: { count: call.body.items.length },
    });
    const result = await writeMemories(call.services.encryption, call.transaction, place, by, call.body.items);
    if (result.kind === 'refused') {
      const conflicts = result.refusals.map((refusal) => {
        return { id: refusal.id, code: refusal.code, ...refusalMembers(refusal) };
      });
      throw new MemoriesError('memories.batch-conflict', { members: { conflicts } });
    }
    const { outcomes } = result;
    const repeated = outcomes.filter((outcome) => outcome.repeated).length;
    const created = outcomes.filter((outcome) => !outcome.repeated && outcome.version === 1).length;
    const after = outcomes.map(({ id, version }, index) => {
      return { id, version, digest: tokenDigest(call.body.items[index]!.token) };
    });
    const before = outcomes.flatMap(({ id, version, replaced }) =>
      replaced === null ? [] : [{ id, version: version - 1, digest: replaced }],
    );
    const replaced = before.length === 0 ? {} : { before: versionsDigest(before) };
    call.record({
      details: { created, updated: outcomes.length - created - repeated, repeated },
      digests: { ...replaced, after: versionsDigest(after) },
    });
    return { body: { items: outcomes.map(writtenAnswer) } };
  },
});

export const batchRoutes = [write];
