/** The two roles that every transaction assumes. Roles belong to the whole PostgreSQL cluster, not to one database. */
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from '../errors.ts';
import { quoteIdentifier } from './dialect.ts';
import { SERVING_ROLE, SYSTEM_ROLE } from './engine.ts';
import type { Session } from './session.ts';

/**
 * What two databases of one cluster provoke when they are set up at once: the role exists by now (42710), its row is just
 * being written (23505), "tuple concurrently updated" (XX000). Advisory locks end at the database's border.
 */
const RACES: ReadonlySet<string | undefined> = new Set(['42710', '23505', 'XX000']);
const ATTEMPTS = 20;

async function despiteRaces(step: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await step();
      return;
    } catch (error) {
      if (!(error instanceof StorageError && RACES.has(error.sqlState)) || attempt === ATTEMPTS) throw error;
      await delay(Math.random() * 50);
    }
  }
}

async function ensureRole(session: Session, role: string): Promise<void> {
  const find = async (): Promise<Record<string, unknown> | undefined> =>
    (await session.query('select rolsuper, rolbypassrls, rolcanlogin from pg_roles where rolname = $1', [role]))
      .rows[0];
  if ((await find()) === undefined) {
    await session.run(`create role ${role} nologin`);
  }
  const found = await find();
  if (found?.['rolsuper'] !== false || found['rolbypassrls'] !== false || found['rolcanlogin'] !== false) {
    throw new StorageError('storage.unsafe-role', {
      detail: `The role "${role}" must be NOSUPERUSER, NOBYPASSRLS and NOLOGIN.`,
    });
  }
}

/** From version 16 a member may also lack the right to assume the role; before, membership was enough. */
async function mayAssume(session: Session, login: string, role: string): Promise<boolean> {
  const { rows } = await session.query(
    `select case when current_setting('server_version_num')::int >= 160000
       then pg_has_role($1::name, $2::name, 'SET') else pg_has_role($1::name, $2::name, 'MEMBER') end as may`,
    [login, role],
  );
  return rows[0]?.['may'] === true;
}

/** Creates what is missing of the roles and lets the logins assume them. The session must be the owner's. */
export async function ensureRoles(session: Session, logins: readonly string[]): Promise<void> {
  for (const role of [SERVING_ROLE, SYSTEM_ROLE]) {
    await despiteRaces(() => ensureRole(session, role));
    for (const login of logins) {
      if (await mayAssume(session, login, role)) continue;
      await despiteRaces(async () => {
        await session.run(`grant ${role} to ${quoteIdentifier(login)}`);
      });
    }
  }
}
