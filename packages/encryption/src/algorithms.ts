/** Algorithms of encrypted fields and their numbers in stored values, one byte each. A number is never given twice. */
export const algorithms = { 'aes-256-gcm': 1, 'xaes-256-gcm': 2, fernet: 3 } as const;

/**
 * `aes-256-gcm` is the rule. `xaes-256-gcm` (c2sp.org/XAES-256-GCM) costs more for each value and is for columns about nobody that are
 * written so often that random nonces of 12 bytes could meet: more than 2^32 times in one tenant and key version. `fernet` is for columns that
 * other programs must be able to open with a stock Fernet library: a third longer, several times slower, AES-128, and the time of writing shows.
 *
 * A column changes its algorithm by declaring another one and being rotated; values of both are readable meanwhile.
 */
export type Algorithm = keyof typeof algorithms;

/** Of a column that declares none. */
export const DEFAULT_ALGORITHM = 'aes-256-gcm' satisfies Algorithm;
