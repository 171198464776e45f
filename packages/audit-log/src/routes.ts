/** The log over HTTP: enough for a client to verify the whole tree and to read and search the entries of its own tenant. */
import { audited, inCurrentTenant, type LimitPolicy } from '@strongroom/pipeline';
import { entryJson } from './entry-json.ts';
import { defineRoute, logRoutes, onlyHashes } from './internal/log-routes.ts';
import { readTenantEntries } from './internal/tenant-entries.ts';
import { readNewestCheckpoint } from './internal/tree-store.ts';
import { readHandovers, readVerifierKeys } from './internal/verifier-keys.ts';
import * as wire from './wire.ts';

/** Verification of a long log reads many pages one after the other. */
const limit: LimitPolicy = {
  name: 'audit-log.read',
  by: 'account',
  burst: 400,
  rate: 100,
  periodSeconds: 1,
  store: 'process',
};

const door = { access: inCurrentTenant('audit.read'), limit: [limit] } as const;
const shared = { ...door, assurance: 'session' } as const;

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
  summary:
    'The keys that sign the audit log, and how they changed. Remember them: other keys that nothing leads to are a reason for alarm',
  input: {},
  output: wire.keys,
  audit: onlyHashes,
  async handler(call) {
    const handovers = await readHandovers(call.transaction);
    return { body: { items: await readVerifierKeys(call.transaction), handovers, next: null } };
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
    const entries = await readTenantEntries(
      call.transaction,
      call.services.auditLog.openings,
      call.account().tenant,
      from,
      end,
    );
    const shown = entries.filter(({ event }) => event !== 'withheld').length;
    call.record({ details: { from, count: entries.length, shown } });
    const more = end < to && entries.length === wire.PAGE_ENTRIES;
    return { body: { items: entries.map(entryJson), next: more ? String(end) : null } };
  },
});

export const routes = [
  checkpointRoute,
  keysRoute,
  entriesRoute,
  ...logRoutes({
    ...door,
    prefix: '/v1/audit',
    tenantOf: (call) => call.account().tenant,
    results: wire.PAGE_ENTRIES,
  }),
];
