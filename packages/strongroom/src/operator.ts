/** What the operator asks for on the machine itself, through the administrator's socket or with the server stopped. */
import type { AuditLog } from '@strongroom/audit-log';
import { parsePolicy, type RememberedCheckpoint, type Verdict } from '@strongroom/audit-log/verify';
import { type Manifest, fromBase64Url, toBase64Url } from '@strongroom/kernel';
import { type LimitPolicy, type Route, defineRoutes, notAudited, operatorOnly } from '@strongroom/pipeline';
import { z } from 'zod';
import { CompositionError } from './errors.ts';
import { VERSION } from './version.ts';

export interface OperatorServices {
  readonly auditLog: AuditLog;
}

const defineRoute = defineRoutes<OperatorServices>();

/** The operator is one person at one machine. */
const limit: LimitPolicy = {
  name: 'operator',
  by: 'account',
  burst: 100,
  rate: 20,
  periodSeconds: 1,
  store: 'process',
};

/** SHA-256. */
const ROOT_BYTES = 32;

const checkpoint = z.strictObject({
  size: z.int().nonnegative(),
  root: z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/)
    .length(Math.ceil((ROOT_BYTES * 4) / 3)),
});

const verification = z.strictObject({
  ok: z.boolean(),
  /** Of the newest checkpoint; for the caller to remember when `ok`. */
  size: z.int(),
  root: z.string(),
  /** Verifier keys (C2SP vkeys) to trust from now on: those the verdict was made with, or the ones they led to. */
  keys: z.array(z.string()),
  signedAt: z.number().nullable(),
  verifiedEntries: z.int(),
  withheldEntries: z.int(),
  redactedEntries: z.int(),
  removedEntries: z.int(),
  standing: z.enum(['INVALID', 'DIVERGED', 'UNANCHORED', 'WITNESSED']),
  witnessedSize: z.int(),
  findings: z.array(z.strictObject({ where: z.string(), what: z.string() })),
  moreFindings: z.boolean(),
});

export type Verification = z.output<typeof verification>;

/**
 * Verifies every event of every tenant against tree and checkpoint. `keys`: those remembered from before; the ones the database names when
 * absent, which shows damage but not a forger who exchanged them. Throws `strongroom.log-empty` before anything was logged.
 */
export async function verifyAuditLog(
  { auditLog }: OperatorServices,
  options: {
    readonly remembered?: RememberedCheckpoint | undefined;
    readonly keys?: readonly string[] | undefined;
    /** C2SP tlog-policy. */
    readonly policy?: string | undefined;
    /** Checkpoints of this log from elsewhere. */
    readonly seen?: readonly string[] | undefined;
  },
): Promise<Verification> {
  // Events of the last second may still wait for their place. A log that is damaged cannot be continued; that is what the verdict will say.
  await auditLog.sequence().catch(() => 0);
  const keys = options.keys ?? (await auditLog.verifierKeys());
  if (keys.length === 0 && (await auditLog.source().newestCheckpoint()) === null)
    throw new CompositionError('strongroom.log-empty');
  const { remembered, policy, seen } = options;
  const verdict: Verdict = await auditLog.verify({
    keys,
    ...(remembered === undefined ? {} : { remembered }),
    ...(policy === undefined ? {} : { policy: parsePolicy(policy) }),
    ...(seen === undefined ? {} : { seen }),
  });
  const { root, findings, ...rest } = verdict;
  return { ...rest, keys: [...rest.keys], root: toBase64Url(root), findings: [...findings] };
}

const status = defineRoute({
  method: 'GET',
  path: '/operator/status',
  summary: 'Version of the running server',
  input: {},
  output: z.strictObject({ version: z.string() }),
  access: operatorOnly,
  assurance: 'session',
  limit: [limit],
  audit: notAudited('Nothing of anybody is read or changed.'),
  stateless: true,
  handler: () => Promise.resolve({ body: { version: VERSION } }),
});

const verifyAudit = defineRoute({
  method: 'POST',
  path: '/operator/audit/verification',
  summary: 'Verifies the whole audit log',
  input: {
    body: z.strictObject({
      remembered: checkpoint.optional(),
      keys: z.array(z.string().max(8192)).max(8).optional(),
      policy: z.string().max(32_768).optional(),
      seen: z.array(z.string().max(32_768)).max(8).optional(),
    }),
  },
  output: verification,
  access: operatorOnly,
  assurance: 'session',
  limit: [limit],
  audit: notAudited('It shows whether hashes and signatures fit, nothing of what anybody did.'),
  // The verifier makes short transactions of its own, so that a long log keeps nobody waiting.
  stateless: true,
  async handler({ body, services }) {
    const { remembered, keys, policy, seen } = body;
    return {
      body: await verifyAuditLog(services, {
        keys,
        policy,
        seen,
        remembered: remembered === undefined ? undefined : { ...remembered, root: fromBase64Url(remembered.root) },
      }),
    };
  },
});

export const manifest: Manifest<Route<OperatorServices>> = { name: 'operator', routes: [status, verifyAudit] };
