export { checkDeletionCertificate, proveDeletion, type ProvedDeletion, type RecoverOptions } from './account-life.ts';
export type { SignInOptions, SignUpOptions } from './account.ts';
export { createApi, type Api, type ApiOptions, type Changes, type PageOptions } from './api.ts';
export {
  remoteLogSource,
  verifierKeys,
  verifyRemoteLog,
  type RememberedLog,
  type RememberedLogStore,
  type VerifyOptions,
} from './audit.ts';
export type * from './block-cache.ts';
export * from './errors.ts';
export { parseChatGptExport } from './import-chatgpt.ts';
export type { ImportItem, SourceName, TextSource } from './import-item.ts';
export { parseMarkdownNote } from './import-markdown.ts';
export { parseExport, parseJsonLines } from './import-json-lines.ts';
export { parseMcpMemory } from './import-mcp-memory.ts';
export type { ImportOptions, ImportResult } from './import.ts';
export type {
  RemoteAccount,
  RemoteChange,
  RemoteRemoved,
  RemoteSession,
  RemoteSpace,
  RemoteVersion,
  RemoteWritten,
} from './internal/answers.ts';
export type { OpenedMemory, PendingKey, SyncResult } from './internal/open-space.ts';
export type {
  DeletionCertificate,
  RemoteDeletionPlan,
  RemoteDeparture,
  RemoteInvitation,
  RemoteMember,
  RemoteSpaceMember,
} from './internal/people-calls.ts';
export { parseInvitationCode, type InvitationCode } from './invitation-code.ts';
export * from './memory-cache.ts';
export {
  decodeDocument,
  encodeDocument,
  MEMORY_FORMAT,
  type MemoryDocument,
  type MemorySource,
} from './memory-document.ts';
export { SearchIndex, type Found } from './search-index.ts';
export { foldText, isUnspaced, searchTerms } from './search-terms.ts';
export type { Role } from './sharing.ts';
export * from './trust-store.ts';
export type * from './vault-types.ts';
export { Vault, type VaultOptions } from './vault.ts';
