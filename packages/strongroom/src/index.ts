export { type RestoreVaultOptions, restoreVault } from './restore-vault.ts';
export { type Strongroom, type StrongroomOptions, createStrongroom } from './create-strongroom.ts';
export { CompositionError, type StrongroomErrorCode, strongroomErrors } from './errors.ts';
export { type Verification, verifyAuditLog } from './operator.ts';
export { rooms, routes } from './rooms.ts';
export type { Services } from './services.ts';
export { VERSION } from './version.ts';
export type { LogPort } from '@strongroom/pipeline';
export type { JobLog } from '@strongroom/storage';
