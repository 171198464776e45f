export { createAuditLog, type AuditLog, type AuditLogOptions } from './audit-log.ts';
export { accountForMigrations, databaseOfJob } from './background-changes.ts';
export { catalogue, type EventCatalogue } from './catalogue.ts';
export { coveredTable } from './covered-table.ts';
export { databaseLogSource, SEQUENCING_GRACE } from './database-source.ts';
export { AuditLogError, auditLogErrors, type AuditLogErrorCode } from './errors.ts';
export { ocsfEvent } from './ocsf.ts';
export { tileFolderSource } from './tile-folder.ts';
export { settleRestored } from './internal/ledger.ts';
export type { AuditRouteServices } from './internal/log-routes.ts';
export { manifest, type AuditLogServices } from './manifest.ts';
export { acceptChanges, type CoveredTable, reconcile, type Reconciliation, type UnloggedChange } from './reconcile.ts';
export { readReceipt, type Receipt } from './receipt.ts';
export {
  addHold,
  changePeriods,
  readRetention,
  releaseHold,
  type RetentionListed,
  type RetentionRecord,
  type WantedHold,
} from './retention-settings.ts';
export { holdJson, type RetentionRouteServices, type WireHold, type WireRetentionReport } from './retention-routes.ts';
export { createSinks, type NewSink, type SinkListed, type Sinks, type SinksOptions } from './sinks.ts';
export { sinkJson, type SinkRouteServices } from './sink-routes.ts';
export { readPeople, searchEvents } from './search-events.ts';
export { type Unrequested, unrequestedEvent } from './unrequested-event.ts';
export { createWitness, hashOfOrigin, type Witness, type WitnessAnswer, type WitnessOptions } from './witness.ts';
export { serveWitness, type WitnessServer, type WitnessServerOptions } from './witness-server.ts';
export { openWitnessFolder, type WitnessFolder, type WitnessState } from './witness-state.ts';
export { readWitnessPolicy, writeWitnessPolicy } from './internal/witnessing.ts';
