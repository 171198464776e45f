/** Routes about the service itself: is it alive, is it ready, what can it do. */
import type { Manifest } from '@strongroom/kernel';
import { type LimitPolicy, type Route, defineRoutes, notAudited, publicRoute } from '@strongroom/pipeline';
import { z } from 'zod';

export interface ServiceRoutesServices {
  /** The OpenAPI 3.1 document of this service. */
  readonly openApiDocument: () => Readonly<Record<string, unknown>>;
}

const defineRoute = defineRoutes<ServiceRoutesServices>();

/** Generous: probes come every second or so from a few places. */
const probes: LimitPolicy = {
  name: 'service.probes',
  by: 'address',
  burst: 60,
  rate: 20,
  periodSeconds: 1,
  store: 'process',
};
const documents: LimitPolicy = {
  name: 'service.documents',
  by: 'address',
  burst: 20,
  rate: 1,
  periodSeconds: 1,
  store: 'process',
};

const status = z.strictObject({ status: z.literal('ok') });

const healthz = defineRoute({
  method: 'GET',
  path: '/healthz',
  summary: 'The process answers',
  input: {},
  output: status,
  access: publicRoute('A liveness probe has no credentials; the answer says nothing but that the process runs.'),
  assurance: 'none',
  limit: [probes],
  audit: notAudited('Nothing is read or changed.'),
  stateless: true,
  handler: async () => ({ body: { status: 'ok' as const } }),
});

const readyz = defineRoute({
  method: 'GET',
  path: '/readyz',
  summary: 'The database answers too',
  input: {},
  output: status,
  access: publicRoute('A readiness probe has no credentials; the answer says nothing but that the database answers.'),
  assurance: 'none',
  limit: [probes],
  audit: notAudited('Nothing of anybody is read or changed.'),
  // The pipeline opened a transaction for this: had the database not answered, we were not here.
  handler: async () => ({ body: { status: 'ok' as const } }),
});

const openApi = defineRoute({
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  input: {},
  output: z.record(z.string(), z.unknown()),
  access: publicRoute('The interface is published with the source; the document holds no data.'),
  assurance: 'none',
  limit: [documents],
  audit: notAudited('Nothing of anybody is read or changed.'),
  stateless: true,
  handler: async ({ services }) => ({ body: services.openApiDocument() }),
});

export const manifest: Manifest<Route<ServiceRoutesServices>> = {
  name: 'service',
  routes: [healthz, readyz, openApi],
};
