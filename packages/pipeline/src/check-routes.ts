/** What the types cannot say about declared routes, checked before the first request. */
import type { Manifest } from '@strongroom/kernel';
import { PipelineError } from './errors.ts';
import { parsePathTemplate, type PathTemplate } from './internal/path-template.ts';
import { isOpen, isStrict, objectSchemas, topObjects } from './internal/schema-walk.ts';
import type { LimitPolicy } from './ports.ts';
import type { Route } from './route.ts';

/** Without what its handler needs, so that routes of any services can be checked and described. */
export type DeclaredRoute = Omit<Route<never>, 'handler'>;

type Declarations = readonly Pick<Manifest, 'permissions' | 'auditEvents'>[];

/** Throws `pipeline.invalid-routes` with one line for every defect of every route. */
export function checkRoutes(routes: readonly DeclaredRoute[], manifests: Declarations): void {
  const permissions = new Set(manifests.flatMap((manifest) => Object.keys(manifest.permissions ?? {})));
  const events = new Set(manifests.flatMap((manifest) => Object.keys(manifest.auditEvents ?? {})));
  const defects: string[] = [];
  const shapes = new Set<string>();
  const limits = new Map<string, string>();

  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    const template = parsePathTemplate(route.path);
    const found = [
      ...(template === undefined ? ['the path is not a template of the form /fixed/{parameter}'] : []),
      ...(template === undefined ? [] : pathDefects(route, template)),
      ...accessDefects(route, permissions, template?.parameters ?? []),
      ...inputDefects(route),
      ...outputDefects(route),
      ...auditDefects(route, events),
      ...route.limit.flatMap((policy) => limitDefects(route, policy, limits)),
    ];
    const shape = `${route.method} ${template?.shape ?? route.path}`;
    if (shapes.has(shape)) found.push('another route has the same method and path');
    shapes.add(shape);
    defects.push(...found.map((defect) => `${name}: ${defect}`));
  }

  if (defects.length > 0) {
    throw new PipelineError('pipeline.invalid-routes', { detail: ['', ...defects].join('\n  - ') });
  }
}

function pathDefects(route: DeclaredRoute, template: PathTemplate): string[] {
  const declared = route.input.path === undefined ? [] : topObjects(route.input.path);
  if (declared === undefined) return ['the path schema is not an object schema'];
  const inSchema = new Set(declared.flatMap(({ shape }) => Object.keys(shape)));
  const inTemplate = new Set(template.parameters);
  const defects = template.parameters.length === inTemplate.size ? [] : ['a path parameter appears twice'];
  for (const parameter of inTemplate) if (!inSchema.has(parameter)) defects.push(`{${parameter}} has no schema`);
  for (const key of inSchema)
    if (!inTemplate.has(key)) defects.push(`the path schema names "${key}", which is not in the path`);
  return defects;
}

function accessDefects(
  route: DeclaredRoute,
  permissions: ReadonlySet<string>,
  parameters: readonly string[],
): string[] {
  const { access, assurance, limit } = route;
  if (access.kind === 'public') {
    return [
      // Whom nobody knows can be counted by where they come from only.
      ...(limit.some(({ by }) => by === 'address') ? [] : ['a public route needs a limit by address']),
      ...(access.reason.trim() === '' ? ['a public route must say why it is public'] : []),
      ...(assurance === 'none' ? [] : ['a public route cannot ask for assurance']),
    ];
  }
  const needsSession =
    assurance === 'none' ? ['a route that is not public needs the assurance of a session at least'] : [];
  if (access.kind === 'operator') return needsSession;
  return [
    ...needsSession,
    ...(permissions.has(access.permission) ? [] : [`permission "${access.permission}" is in no manifest`]),
    ...(access.kind === 'space' && !parameters.includes(access.parameter)
      ? [`the space is to be in {${access.parameter}}, which is not in the path`]
      : []),
  ];
}

function inputDefects(route: DeclaredRoute): string[] {
  const { input, method, bodyLimit } = route;
  const defects: string[] = [];
  if (input.body !== undefined && (method === 'GET' || method === 'DELETE')) defects.push(`${method} takes no body`);
  if (bodyLimit !== undefined && !(Number.isSafeInteger(bodyLimit) && bodyLimit > 0)) {
    defects.push('bodyLimit must be a positive number of bytes');
  }
  for (const part of ['path', 'query', 'body'] as const) {
    const schema = input[part];
    if (schema === undefined) continue;
    if (part !== 'path' && topObjects(schema) === undefined) defects.push(`the ${part} schema is not an object schema`);
    for (const { place, definition } of objectSchemas(schema, part)) {
      if (!isStrict(definition)) defects.push(`${place} takes unknown fields; use z.strictObject`);
    }
  }
  return defects;
}

const outputDefects = (route: DeclaredRoute): string[] =>
  objectSchemas(route.output, 'output').flatMap(({ place, definition }) =>
    isOpen(definition) ? [`${place} lets undeclared fields out; use z.strictObject`] : [],
  );

function auditDefects(route: DeclaredRoute, events: ReadonlySet<string>): string[] {
  const { audit, stateless, access } = route;
  const defects: string[] = [];
  if (audit.kind === 'event' && !events.has(audit.event))
    defects.push(`audit event "${audit.event}" is in no manifest`);
  if (audit.kind === 'none' && audit.reason.trim() === '') defects.push('a route that is not audited must say why');
  if (stateless && access.kind !== 'public' && access.kind !== 'operator')
    defects.push('only a public or an operator route can be stateless');
  if (stateless && audit.kind === 'event') defects.push('an audited route cannot be stateless');
  return defects;
}

function limitDefects(route: DeclaredRoute, policy: LimitPolicy, known: Map<string, string>): string[] {
  const { name, burst, rate, periodSeconds, store, by } = policy;
  const defects: string[] = [];
  if (!/^[a-z][a-z0-9.-]*$/.test(name))
    defects.push(`limit name "${name}" must be lower-case letters, digits, dots and dashes`);
  if (!(Number.isSafeInteger(burst) && burst > 0))
    defects.push(`limit "${name}": burst must be a positive whole number`);
  if (!(Number.isFinite(rate) && rate > 0)) defects.push(`limit "${name}": rate must be positive`);
  if (!(Number.isFinite(periodSeconds) && periodSeconds > 0))
    defects.push(`limit "${name}": the period must be positive`);
  if (by === 'account' && route.access.kind === 'public')
    defects.push(`limit "${name}" counts accounts, which a public route does not know`);
  if (by === 'input' && route.input.body === undefined && route.input.path === undefined) {
    defects.push(`limit "${name}" counts by input, but the route has none`);
  }
  if (store === 'durable' && route.stateless) defects.push(`limit "${name}" is durable, but the route is stateless`);
  const numbers = [burst, rate, periodSeconds, store, by].join(' ');
  if ((known.get(name) ?? numbers) !== numbers)
    defects.push(`limit "${name}" is declared elsewhere with other numbers`);
  known.set(name, numbers);
  return defects;
}
