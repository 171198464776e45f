/** Types of peers that bring none, as far as they are measured. They also let the type check pass where no peer is installed. */

declare module 'fernet' {
  interface Secret {
    readonly signingKeyHex: string;
  }
  interface TokenOptions {
    readonly secret: Secret;
    readonly token?: string;
    /** Seconds; 0 turns the check of age off. */
    readonly ttl?: number;
  }
  const fernet: {
    readonly Secret: new (key: string) => Secret;
    readonly Token: new (options: TokenOptions) => {
      encode(message: string): string;
      decode(token?: string): string;
    };
  };
  export default fernet;
}

declare module '@47ng/cloak' {
  interface ParsedCloakKey {
    readonly fingerprint: string;
  }
  export function generateKey(): string;
  export function parseKeySync(key: string): ParsedCloakKey;
  export function encryptStringSync(text: string, key: ParsedCloakKey): string;
  export function decryptStringSync(text: string, key: ParsedCloakKey): string;
}

declare module '@aws-crypto/client-node' {
  type EncryptionContext = Readonly<Record<string, string>>;
  interface MaterialsManager {
    readonly getEncryptionMaterials: unknown;
  }
  interface Result {
    readonly result: Uint8Array;
  }
  interface Decrypted {
    readonly plaintext: Uint8Array;
    readonly messageHeader: { readonly encryptionContext: EncryptionContext };
  }
  export const CommitmentPolicy: { readonly REQUIRE_ENCRYPT_REQUIRE_DECRYPT: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' };
  export const AlgorithmSuiteIdentifier: { readonly ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY: 1144 };
  export const RawAesWrappingSuiteIdentifier: {
    readonly AES256_GCM_IV12_TAG16_NO_PADDING: 120;
  };
  export class RawAesKeyringNode {
    readonly keyName: string;
    constructor(options: {
      readonly keyName: string;
      readonly keyNamespace: string;
      readonly unencryptedMasterKey: Uint8Array;
      readonly wrappingSuite: 120;
    });
  }
  interface MaterialsCache {
    readonly putEncryptionMaterial: unknown;
  }
  export function getLocalCryptographicMaterialsCache(entries: number): MaterialsCache;
  export class NodeCachingMaterialsManager {
    constructor(options: {
      readonly backingMaterials: RawAesKeyringNode;
      readonly cache: MaterialsCache;
      readonly maxAge: number;
    });
    readonly getEncryptionMaterials: unknown;
  }
  export function buildClient(policy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT'): {
    encrypt(
      manager: MaterialsManager,
      plaintext: Uint8Array,
      options: {
        readonly encryptionContext: EncryptionContext;
        readonly suiteId: 1144;
        readonly plaintextLength: number;
      },
    ): Promise<Result>;
    decrypt(manager: MaterialsManager, ciphertext: Uint8Array): Promise<Decrypted>;
  };
}
