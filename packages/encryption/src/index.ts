export type { Algorithm } from './algorithms.ts';
export {
  planBlindIndex,
  type IndexPlan,
  type IndexPlanOptions,
  type IndexPlanTarget,
  type Leakage,
  type WidthLeakage,
} from './blind-index-plan.ts';
export {
  createIndexRotations,
  missingIndexVersions,
  type IndexReader,
  type IndexReport,
  type IndexRotationRecorder,
  type IndexRotations,
  type IndexRotationsOptions,
  type IndexState,
  type RotatedIndex,
} from './blind-index-rotation.ts';
export { columnCodec, type ColumnCodec, type ColumnCodecOptions, type RowPlace } from './column-codec.ts';
export {
  columnMigration,
  type ColumnMigration,
  type ColumnMigrationOptions,
  type MigrationPhase,
  type MigrationStatus,
  type MigrationStep,
} from './column-migration.ts';
export {
  encryptedTable,
  encryptedTableOf,
  undeclaredTables,
  type EncryptedColumn,
  type EncryptedRows,
  type EncryptedTable,
} from './encrypted-table.ts';
export { createEncryption, type Encryption, type EncryptionOptions } from './encryption.ts';
export { ENVIRONMENT_VARIABLE, environmentSlot, newEnvironmentKey } from './environment-slot.ts';
export { EncryptionError, encryptionErrors, type EncryptionErrorCode } from './errors.ts';
export { Fernet, type FernetDecryptOptions, type FernetEncryptOptions, type TokenCipher } from './fernet.ts';
export { fileSlot } from './file-slot.ts';
export type {
  BeforeReplacing,
  KeyOptions,
  KeyProgress,
  KeyStatus,
  RotateOptions,
  RotateReport,
  ShredReport,
  SlotReport,
  TreeState,
} from './key-reports.ts';
export type { KeyTree } from './key-tree.ts';
export { encryptedQueries, type EncryptedQueriesOptions, type OpenTable, type OpenTables } from './kysely-plugin.ts';
export { type EncryptionServices, manifest } from './manifest.ts';
export { MultiFernet } from './multi-fernet.ts';
export { normaliseEmail, normaliseText } from './normalise.ts';
export { pkcs11Slot, type Pkcs11SlotOptions } from './pkcs11-slot.ts';
export type { ColumnPlace, Place } from './place.ts';
export type { Erasure, RootSlot, StoredRoot } from './root-slot.ts';
export {
  createRotations,
  versionsInUse,
  type RotationOptions,
  type RotationRecorder,
  type Rotations,
  type RotationsOptions,
} from './rotation.ts';
export type { RotationReport, RotationScope } from './rotation-report.ts';
export {
  type OpenRow,
  type RowCodec,
  rowCodec,
  type Rows,
  sealed,
  type SealedColumn,
  type SearchMatch,
  type StoredRow,
} from './row-codec.ts';
export type { Sealer, SharedPlace, SubjectKeys } from './sealer.ts';
