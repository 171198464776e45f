/** Routes that the network and the administrator's socket have in common: they differ in who calls and in what that caller sees. */
import { toBase64Url, type Uuid } from '@strongroom/kernel';
import { type Access, audited, defineRoutes, type LimitPolicy, notAudited } from '@strongroom/pipeline';
import type { Transaction } from '@strongroom/storage';
import { sql } from 'kysely';
import { entryJson } from '../entry-json.ts';
import { AuditLogError } from '../errors.ts';
import { HASH_LENGTH } from '../merkle.ts';
import { readPeople, searchEvents } from '../search-events.ts';
import { TILE_WIDTH } from '../tiles.ts';
import * as wire from '../wire.ts';
import type { AuditLog } from '../audit-log.ts';
import { readNewestCheckpoint, readTiles } from './tree-store.ts';

/** What the routes of this room use; the composition root provides it. */
export interface AuditRouteServices {
  readonly auditLog: Pick<AuditLog, 'events' | 'openings' | 'rotateKeys' | 'witness'>;
  readonly people: {
    /** The account that signs in with this address; null when there is none. */
    accountByEmail(transaction: Transaction, email: string): Promise<Uuid | null>;
  };
}

export const defineRoute = defineRoutes<AuditRouteServices>();

export const onlyHashes = notAudited('It shows hashes, signatures and public keys, but nothing that anybody did.');

interface Door {
  readonly prefix: '/v1/audit' | '/operator/audit';
  readonly access: Access;
  readonly limit: readonly [LimitPolicy];
  /** Whose events the caller sees; null for all. */
  readonly tenantOf: (call: { readonly account: () => { readonly tenant: Uuid } }) => Uuid | null;
  /** Results of one page at most. */
  readonly results: number;
}

export function logRoutes({ prefix, tenantOf, results, ...caller }: Door) {
  const shared = { ...caller, assurance: 'session' } as const;
  return [
    defineRoute({
      ...shared,
      method: 'GET',
      path: `${prefix}/tiles/{level}/{index}`,
      summary: 'Hashes of one tile of the audit tree (C2SP tlog-tiles)',
      input: { path: wire.tilePath, query: wire.tileQuery },
      output: wire.tile,
      audit: onlyHashes,
      async handler({ path: { level, index }, query: { width = TILE_WIDTH }, transaction }) {
        const [tile] = width === 0 ? [] : await readTiles(transaction, [{ level, index, width }]);
        if (tile?.hashes.length !== width * HASH_LENGTH) throw new AuditLogError('audit-log.unknown-tile');
        return { body: { hashes: toBase64Url(tile.hashes) } };
      },
    }),
    defineRoute({
      ...shared,
      method: 'GET',
      path: `${prefix}/events`,
      summary: 'Searches the audit log, by any combination of conditions',
      input: { query: wire.eventsQuery(results) },
      output: wire.events,
      audit: audited('audit.searched'),
      async handler(call) {
        const { order = 'newest', limit = wire.DEFAULT_RESULTS, cursor, purpose, ...filter } = call.query;
        const { transaction, services } = call;
        const found = await searchEvents(transaction, services.auditLog, {
          filter,
          tenant: tenantOf(call),
          order,
          after: cursor ?? null,
          limit: Math.max(limit, 1),
        });
        // What was looked for may be a name, so it stays out of the log; by what kind of condition does not.
        call.record({
          // A search that finds nothing must not tie a stranger to this tenant.
          subjects: found.entries.length === 0 ? [] : found.sought.map(({ account }) => account),
          details: { by: Object.keys(filter).toSorted().join(' '), count: found.entries.length, ...stated(purpose) },
        });
        return {
          body: {
            items: found.entries.map(entryJson),
            next: found.next,
            people: [...found.people],
          },
        };
      },
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: `${prefix}/people`,
      summary:
        'The pseudonym of the person with this e-mail address, as far as they appear in events that the caller may see',
      input: { body: wire.personQuery },
      output: wire.personAnswer,
      audit: audited('audit.searched'),
      async handler(call) {
        const { transaction, services, body } = call;
        const account = await services.people.accountByEmail(transaction, body.email);
        const [person] = account === null ? [] : await readPeople(transaction, [account]);
        const isSeen = person !== undefined && (await appears(transaction, tenantOf(call), person.pseudonym));
        // Recorded about nobody where nothing is told: otherwise the log would say who exists.
        call.record({ subjects: isSeen ? [person.account] : [], details: { by: 'email', count: isSeen ? 1 : 0 } });
        return { body: { person: isSeen ? person : null } };
      },
    }),
    defineRoute({
      ...shared,
      method: 'POST',
      path: `${prefix}/exports`,
      summary: 'Says that the audit log is being exported, and how far it goes; what follows are searches',
      input: { body: wire.exportBegin },
      output: wire.checkpoint,
      audit: audited('audit.exported'),
      async handler({ body: { format, purpose }, transaction, record }) {
        const newest = await readNewestCheckpoint(transaction);
        record({ details: { format, size: newest?.columns.size ?? 0, ...stated(purpose) } });
        return { body: { note: newest?.note ?? null } };
      },
    }),
  ];
}

const stated = (purpose: string | undefined) => (purpose === undefined ? {} : { purpose });

/** Whoever is in no event of the tenant is nobody there. */
async function appears(transaction: Transaction, tenant: Uuid | null, pseudonym: string): Promise<boolean> {
  if (tenant === null) return true;
  const { rows } = await sql<{ appears: boolean }>`
    select exists (select from audit_events where tenant_id = ${tenant}::uuid and actor = ${pseudonym}::uuid)
      or exists (select from audit_events where tenant_id = ${tenant}::uuid and subjects @> array[${pseudonym}::uuid]) as appears`.execute(
    transaction,
  );
  return rows[0]!.appears;
}
