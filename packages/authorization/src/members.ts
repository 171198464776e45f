import { toBase64Url } from '@strongroom/kernel';
import { defineRoutes, inCurrentTenant, notAudited, pageOf, type LimitPolicy } from '@strongroom/pipeline';
import { tables } from './internal/tables.ts';
import type { AuthorizationServices } from './services.ts';
import { memberList, memberQuery, PAGE_ITEMS } from './wire.ts';

const defineRoute = defineRoutes<AuthorizationServices>();

const readLimit: LimitPolicy = {
  name: 'authorization.members',
  by: 'account',
  burst: 30,
  rate: 60,
  periodSeconds: 60,
  store: 'process',
};

/** In the order of joining. */
export const listMembersRoute = defineRoute({
  method: 'GET',
  path: '/v1/members',
  summary: 'Who belongs to your tenant, and with which role',
  input: { query: memberQuery },
  output: memberList,
  access: inCurrentTenant('member.read'),
  assurance: 'session',
  limit: [readLimit],
  audit: notAudited('Shows names and roles that members know of each other anyway.'),
  async handler({ query, services, transaction, account }) {
    let assignments = tables(transaction)
      .selectFrom('role_assignments')
      .select(['id', 'account_id', 'role'])
      .where('tenant_id', '=', account().tenant)
      .where('space_id', 'is', null);
    if (query.cursor !== undefined) assignments = assignments.where('id', '>', query.cursor);
    const found = await assignments
      .orderBy('id')
      .limit(PAGE_ITEMS + 1)
      .execute();
    const { rows, next } = pageOf(found, PAGE_ITEMS);
    const accounts = rows.map((row) => row.account_id);
    const names = await services.profiles.displayNames(transaction, accounts);
    const keys = await services.profiles.publicKeys(transaction, accounts);
    return {
      body: {
        items: rows.map((row) => ({
          account: row.account_id,
          displayName: names.get(row.account_id) ?? null,
          role: row.role,
          publicKey: encodedOrNull(keys.get(row.account_id)),
        })),
        next,
      },
    };
  },
});

const encodedOrNull = (bytes: Uint8Array | undefined): string | null =>
  bytes === undefined ? null : toBase64Url(bytes);
