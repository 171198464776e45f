/** The log over HTTP: enough for a client to verify the whole tree and the entries of its own tenant. */
import { toBase64Url } from '@strongroom/kernel';
import { audited, defineRoutes, inCurrentTenant, type LimitPolicy, notAudited } from '@strongroom/pipeline';
import { entryJson } from './entry-json.ts';
import { AuditLogError } from './errors.ts';
import { readTenantEntries } from './internal/tenant-entries.ts';
import { readNewestCheckpoint, readTiles } from './internal/tree-store.ts';
import { readVerifierKeys } from './internal/verifier-keys.ts';
import { HASH_LENGTH } from './merkle.ts';
import { TILE_WIDTH } from './tiles.ts';
import * as wire from './wire.ts';

const defineRoute = defineRoutes<object>();

/** Verification of a long log reads many pages one after the other. */
const limit: LimitPolicy = {
  name: 'audit-log.read',
  by: 'account',
  burst: 400,
  rate: 100,
  periodSeconds: 1,
  store: 'process',
};

const shared = { access: inCurrentTenant('audit.read'), assurance: 'session', limit: [limit] } as const;
const onlyHashes = notAudited('It shows hashes, signatures and public keys, but nothing that anybody did.');

const checkpointRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/audit/checkpoint',
  summary: 'The newest signed checkpoint of the audit log',
  input: {},
  output: wire.checkpoint,
  audit: onlyHashes,
  async handler(call) {
    const newest = await readNewestCheckpoint(call.transaction);
    return { body: { note: newest?.note ?? null } };
  },
});

const keysRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/audit/keys',
  summary: 'The keys that sign the audit log. Remember them: a later change of keys is a reason for alarm',
  input: {},
  output: wire.keys,
  audit: onlyHashes,
  async handler(call) {
    return { body: { items: await readVerifierKeys(call.transaction), next: null } };
  },
});

const tileRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/v1/audit/tiles/{level}/{index}',
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
  path: '/v1/audit/entries',
  summary: 'Entries of the audit log: all columns of the own tenant, leaf hashes of everything else',
  input: { query: wire.entriesQuery },
  output: wire.entries,
  audit: audited('audit.read'),
  async handler(call) {
    const { from = 0, to = Number.MAX_SAFE_INTEGER } = call.query;
    const end = Math.min(to, from + wire.PAGE_ENTRIES);
    const entries = await readTenantEntries(call.transaction, call.account().tenant, from, end);
    const shown = entries.filter(({ event }) => event !== 'withheld').length;
    call.record({ details: { from, count: entries.length, shown } });
    const more = end < to && entries.length === wire.PAGE_ENTRIES;
    return { body: { items: entries.map(entryJson), next: more ? String(end) : null } };
  },
});

export const routes = [checkpointRoute, keysRoute, tileRoute, entriesRoute];
