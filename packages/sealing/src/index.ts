export * from './account-record.ts';
export * from './account.ts';
export * from './errors.ts';
export * from './fernet-framing.ts';
export { FernetKey, openFernet, sealFernet, type FernetOpening, type FernetTime } from './fernet.ts';
export * from './fingerprint.ts';
export * from './item.ts';
export * from './key-derivation-parameters.ts';
export * from './padding.ts';
export * from './password.ts';
export * from './recovery-code.ts';
export * from './secret.ts';
export * from './shared-space-key.ts';
export {
  GREATEST_COUNT,
  SpaceKey,
  createSpaceKey,
  openSpaceKey,
  openSpaceName,
  sealSpaceName,
  type CreatedSpaceKey,
} from './space.ts';
export { unwrap, unwrapBytes, wrap, wrapBytes, type WrapContext } from './wrap.ts';
