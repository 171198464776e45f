export { createAuditLog, type AuditLog, type AuditLogOptions } from './audit-log.ts';
export { catalogue, type EventCatalogue } from './catalogue.ts';
export { databaseLogSource, SEQUENCING_GRACE } from './database-source.ts';
export { AuditLogError, auditLogErrors, type AuditLogErrorCode } from './errors.ts';
export { manifest, type AuditLogServices } from './manifest.ts';
