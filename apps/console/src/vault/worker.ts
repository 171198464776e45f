/** The vault's worker: what it answers is in service.ts. */
import { answerCalls, type WorkerScope } from './answer-calls.ts';
import type { VaultCalls } from './protocol.ts';
import { createVaultService } from './service.ts';

const scope = globalThis as unknown as WorkerScope;
answerCalls<VaultCalls>(
  scope,
  createVaultService(scope.location.origin, (notice) => scope.postMessage({ notice }, [])),
);
