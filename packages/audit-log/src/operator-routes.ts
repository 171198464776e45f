/** The whole log for the operator on the machine: every event of every tenant, through the administrator's socket. */
import { toBase64Url } from '@strongroom/kernel';
import { audited, defineRoutes, type LimitPolicy, notAudited, operatorOnly } from '@strongroom/pipeline';
import { entryJson } from './entry-json.ts';
import { AuditLogError } from './errors.ts';
import { readEntries } from './internal/read-entries.ts';
import { readCheckpoints, readNewestCheckpoint, readTiles } from './internal/tree-store.ts';
import { readVerifierKeys } from './internal/verifier-keys.ts';
import { readWitnessPolicy, writeWitnessPolicy } from './internal/witnessing.ts';
import { HASH_LENGTH } from './merkle.ts';
import { parsePolicy } from './policy.ts';
import { TILE_WIDTH } from './tiles.ts';
import * as wire from './wire.ts';

const defineRoute = defineRoutes<object>();

/** A bundle of a long log reads many pages one after the other. */
const limit: LimitPolicy = {
  name: 'audit-log.operator',
  by: 'account',
  burst: 1000,
  rate: 500,
  periodSeconds: 1,
  store: 'process',
};

const shared = { access: operatorOnly, assurance: 'session', limit: [limit] } as const;
const onlyHashes = notAudited('It shows hashes, signatures and public keys, but nothing that anybody did.');

const headRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/head',
  summary: 'The newest checkpoint and the keys that sign the log',
  input: {},
  output: wire.head,
  audit: onlyHashes,
  async handler(call) {
    const newest = await readNewestCheckpoint(call.transaction);
    return { body: { note: newest?.note ?? null, keys: await readVerifierKeys(call.transaction) } };
  },
});

const checkpointsRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/checkpoints',
  summary: 'Kept checkpoints over more than `from` and at most `to` entries',
  input: { query: wire.entriesQuery },
  output: wire.checkpoints,
  audit: onlyHashes,
  async handler(call) {
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = call.query;
    const kept = await readCheckpoints(call.transaction, from, to);
    return { body: { items: kept.map(({ note }) => note), next: null } };
  },
});

const tileRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/tiles/{level}/{index}',
  summary: 'Hashes of one tile of the audit tree (C2SP tlog-tiles)',
  input: { path: wire.tilePath, query: wire.tileQuery },
  output: wire.tile,
  audit: onlyHashes,
  async handler(call) {
    const { level, index } = call.path;
    const { width = TILE_WIDTH } = call.query;
    const [tile] = width === 0 ? [] : await readTiles(call.transaction, [{ level, index, width }]);
    if (tile?.hashes.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
    return { body: { hashes: toBase64Url(tile.hashes) } };
  },
});

const entriesRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/entries',
  summary: 'Entries of the audit log of all tenants',
  input: { query: wire.entriesQuery },
  output: wire.operatorEntries,
  audit: audited('audit.read'),
  async handler(call) {
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = call.query;
    const end = Math.min(to, from + wire.OPERATOR_PAGE_ENTRIES);
    const entries = await readEntries(call.transaction, from, end);
    call.record({ details: { from, count: entries.length } });
    const more = end < to && entries.length === wire.OPERATOR_PAGE_ENTRIES;
    const items = entries.map((entry) => ({ ...entryJson(entry), isMissing: entry.event === 'missing' }));
    return { body: { items, next: more ? String(end) : null } };
  },
});

const policyRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/witness-policy',
  summary: 'Which witnesses are asked to cosign the log',
  input: {},
  output: wire.witnessPolicy,
  audit: notAudited('It shows public keys and addresses of witnesses.'),
  async handler(call) {
    return { body: { policy: await readWitnessPolicy(call.transaction) } };
  },
});

const setPolicyRoute = defineRoute({
  ...shared,
  method: 'PUT',
  path: '/operator/audit/witness-policy',
  summary: 'Sets which witnesses are asked to cosign the log; null for none',
  input: { body: wire.witnessPolicy },
  output: wire.witnessPolicy,
  audit: audited('audit.witnesses-changed'),
  async handler(call) {
    const { policy } = call.body;
    await writeWitnessPolicy(call.transaction, policy, call.context.receivedAt);
    const witnesses = policy === null ? 0 : parsePolicy(policy).witnesses.length;
    call.record({ details: { witnesses } });
    return { body: { policy } };
  },
});

export const operatorRoutes = [headRoute, checkpointsRoute, tileRoute, entriesRoute, policyRoute, setPolicyRoute];
