/** The room's routes behind the real pipeline, for whoever a test lets call. */
import { newUuid, type Uuid } from '@strongroom/kernel';
import { createPipeline, type PipelineRequest } from '@strongroom/pipeline';
import { expect } from 'vitest';
import type { AuditRouteServices } from './internal/log-routes.ts';
import type { House } from './log.test-support.ts';
import type { RetentionRouteServices } from './retention-routes.ts';
import type { SinkRouteServices } from './sink-routes.ts';
import { manifest } from './manifest.ts';

interface Caller {
  readonly account: Uuid;
  readonly tenant: Uuid;
  readonly allowed: boolean;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Door {
  /** Who calls from now on; `operator`: through the administrator's socket. */
  caller: Caller | 'operator';
  /** E-mail address → account. */
  readonly accounts: Map<string, Uuid>;
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object): Promise<Answer>;
}

export function openDoor(house: House, caller: Door['caller']): Door {
  const routes = manifest.routes!;
  const allowed = { allowed: true, limit: 1, remaining: 1, retryAfter: 0 };
  const accounts = new Map<string, Uuid>();
  const services: AuditRouteServices & SinkRouteServices & RetentionRouteServices = {
    auditLog: house.auditLog,
    auditSinks: house.sinks,
    people: { accountByEmail: async (_, email) => accounts.get(email) ?? null },
  };
  const pipeline = createPipeline<AuditRouteServices & SinkRouteServices & RetentionRouteServices>({
    routes,
    manifests: [manifest],
    services,
    database: house.database,
    clock: house.clock,
    ports: {
      sessions: {
        identify: async () =>
          door.caller === 'operator'
            ? { actor: { kind: 'operator', via: 'administrator-socket' }, assurance: 'session', credential: 'none' }
            : {
                actor: { kind: 'account', ...door.caller, session: newUuid() },
                assurance: 'session',
                credential: 'bearer',
              },
      },
      authorizer: {
        allows: async (_, { permission }) =>
          door.caller !== 'operator' && door.caller.allowed && permission === 'audit.read',
      },
      limiter: { take: async () => allowed },
      audit: house.auditLog,
      log: { request: () => undefined, failure: (_, route, error) => expect.fail(`${route}: ${String(error)}`) },
    },
  });
  const door: Door = {
    caller,
    accounts,
    async ask(method, path, body) {
      const url = new URL(path, 'http://localhost');
      const [route, parameters] = routes
        .filter((one) => one.method === method)
        .map((one) => [one, parametersOf(one.path, url.pathname)] as const)
        .find(([, found]) => found !== null)!;
      const request: PipelineRequest = {
        method,
        path: url.pathname,
        parameters: parameters!,
        query: url.searchParams,
        headers: {
          host: 'localhost',
          ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': '1' }),
        },
        clientAddress: '203.0.113.9',
        secure: true,
        body: async () => new TextEncoder().encode(body === undefined ? '' : JSON.stringify(body)),
        signal: AbortSignal.timeout(10_000),
      };
      const response = await pipeline.handle(route, request);
      return { status: response.status, body: JSON.parse(String(response.body)) };
    },
  };
  return door;
}

/** What stands for the parameters of a template; null for a path of another form. */
function parametersOf(template: string, path: string): Record<string, string> | null {
  const pattern = template.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  const match = new RegExp(`^${pattern}$`).exec(path);
  return match === null ? null : { ...match.groups };
}
