/** Algorithms of encrypted fields and their numbers in stored values, one byte each. A number is never given twice. */
export const algorithms = { 'aes-256-gcm': 1, 'xaes-256-gcm': 2 } as const;

/**
 * `aes-256-gcm` is the rule. `xaes-256-gcm` (c2sp.org/XAES-256-GCM) costs more for each value and is for columns about nobody that are
 * written so often that random nonces of 12 bytes could meet: more than 2^32 times in one tenant and key version.
 */
export type Algorithm = keyof typeof algorithms;
