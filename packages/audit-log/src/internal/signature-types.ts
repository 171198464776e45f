/** What a checkpoint is signed with. Both verifications are pure functions of public data. */
export type SignatureAlgorithm = 'ed25519' | 'ml-dsa-44';

/** How a note uses an algorithm. Witnesses sign with Ed25519 over a timestamp and the note (tlog-cosignature), logs over the note alone. */
export type NoteAlgorithm = SignatureAlgorithm | 'ed25519-cosignature';

export type VerifySignature = (message: Uint8Array, signature: Uint8Array) => Promise<boolean>;

/** Turns a raw public key (RFC 8032: 32 bytes; FIPS 204, ML-DSA-44: 1312 bytes) into its verification. */
export type ImportVerifier = (algorithm: NoteAlgorithm, publicKey: Uint8Array) => Promise<VerifySignature>;
