import { randomBytes } from 'node:crypto';
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  getLocalCryptographicMaterialsCache,
  NodeCachingMaterialsManager,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from '@aws-crypto/client-node';
import { fieldPeer, type FieldPeer } from './peer.ts';

/** Milliseconds: longer than any measurement, so that data keys stay in the cache. */
const CACHED_FOR = 3_600_000;

/** A raw AES keyring behind the cache of data keys; the suite that commits to the key and does not sign; the context given. */
export function awsEncryptionSdk(encryptionContext: Readonly<Record<string, string>>): FieldPeer {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const manager = new NodeCachingMaterialsManager({
    backingMaterials: new RawAesKeyringNode({
      keyName: 'bench',
      keyNamespace: 'strongroom',
      unencryptedMasterKey: randomBytes(32),
      wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
    }),
    cache: getLocalCryptographicMaterialsCache(100),
    maxAge: CACHED_FOR,
  });
  const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
  return fieldPeer(
    'AWS Encryption SDK',
    async (plaintext) => {
      const { result } = await client.encrypt(manager, plaintext, {
        encryptionContext,
        suiteId,
        plaintextLength: plaintext.length,
      });
      return result;
    },
    async (sealed) => Buffer.from((await client.decrypt(manager, sealed)).plaintext),
  );
}
