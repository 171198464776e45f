/** The whole log for the operator on the machine: every event of every tenant, through the administrator's socket. */
import { utf8 } from '@strongroom/kernel';
import { sha256 } from '#sha256';
import { audited, type LimitPolicy, notAudited, operatorOnly } from '@strongroom/pipeline';
import { entryJson } from './entry-json.ts';
import { defineRoute, logRoutes, onlyHashes } from './internal/log-routes.ts';
import { readEntries } from './internal/read-entries.ts';
import { readCheckpoints, readMinimumIndex, readNewestCheckpoint } from './internal/tree-store.ts';
import { readHandovers, readVerifierKeys } from './internal/verifier-keys.ts';
import { readWitnessPolicy, writeWitnessPolicy } from './internal/witnessing.ts';
import type { LogEntry } from './log-source.ts';
import { parsePolicy } from './policy.ts';
import * as wire from './wire.ts';

/** A bundle of a long log reads many pages one after the other. */
const limit: LimitPolicy = {
  name: 'audit-log.operator',
  by: 'account',
  burst: 1000,
  rate: 500,
  periodSeconds: 1,
  store: 'process',
};

const door = { access: operatorOnly, limit: [limit] } as const;
const shared = { ...door, assurance: 'session' } as const;

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
    const keys = await readVerifierKeys(call.transaction);
    const handovers = await readHandovers(call.transaction);
    const minimumIndex = await readMinimumIndex(call.transaction);
    return { body: { note: newest?.note ?? null, keys, handovers, minimumIndex } };
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
    const entries = await readEntries(call.transaction, call.services.auditLog.openings, from, end);
    call.record({ details: { from, count: entries.length } });
    const more = end < to && entries.length === wire.OPERATOR_PAGE_ENTRIES;
    const items = entries.map((entry) => ({
      ...entryJson(entry),
      absence: absenceOf(entry),
      isErased: entry.isErased === true,
    }));
    return { body: { items, next: more ? String(end) : null } };
  },
});

const absenceOf = ({ event }: LogEntry) => (event === 'missing' || event === 'removed' ? event : null);

const rotateRoute = defineRoute({
  ...shared,
  method: 'POST',
  path: '/operator/audit/key-rotations',
  summary: 'Makes new keys for the audit log; the former ones sign that they do',
  input: {},
  output: wire.keyRotation,
  audit: notAudited('The change is an entry that the log itself writes, in the same transaction.'),
  // The log changes its keys in a transaction of its own, after what waits for its place.
  stateless: true,
  async handler({ services }) {
    const { size, keys, handover } = await services.auditLog.rotateKeys('administrator-socket');
    return { body: { size, keys: [...keys], handover } };
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
    const before = await readWitnessPolicy(call.transaction);
    await writeWitnessPolicy(call.transaction, policy, call.context.receivedAt);
    const witnesses = policy === null ? 0 : parsePolicy(policy).witnesses.length;
    call.record({ details: { witnesses }, digests: { before: digestOf(before), after: digestOf(policy) } });
    return { body: { policy } };
  },
});

const witnessingRoute = defineRoute({
  ...shared,
  method: 'GET',
  path: '/operator/audit/witnessing',
  summary: 'Asks the witnesses for the newest checkpoint and says what they answered',
  input: {},
  output: wire.witnessing,
  audit: notAudited('It shows addresses of witnesses and what they refuse.'),
  // Witnesses are asked over the network, which no transaction waits for.
  stateless: true,
  async handler({ services, signal }) {
    const witnessing = await services.auditLog.witness(signal);
    return { body: { witnessing: witnessing === null ? null : { ...witnessing, problems: [...witnessing.problems] } } };
  },
});

const digestOf = (policy: string | null): Uint8Array => sha256(utf8(policy ?? ''));

export const operatorRoutes = [
  headRoute,
  checkpointsRoute,
  entriesRoute,
  rotateRoute,
  policyRoute,
  setPolicyRoute,
  witnessingRoute,
  ...logRoutes({ ...door, prefix: '/operator/audit', tenantOf: () => null, results: wire.OPERATOR_PAGE_ENTRIES }),
];
