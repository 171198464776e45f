/**
 * The generic cell rate algorithm (ITU-T I.371, annex A) in whole microseconds. A bucket is one number: the time at
 * which it will be full again. Taking moves that time on by one interval per unit; it may never lie further ahead
 * than a whole burst. Whatever the order of requests, at most `burst + rate · t` are admitted in any time t.
 */
import type { LimitDecision, LimitPolicy } from '@strongroom/pipeline';

export type Bucket = Pick<LimitPolicy, 'burst' | 'rate' | 'periodSeconds'>;

const MICROSECONDS_PER_SECOND = 1_000_000;
const MICROSECONDS_PER_MILLISECOND = 1_000;

export const toMicroseconds = (milliseconds: number): number => Math.round(milliseconds * MICROSECONDS_PER_MILLISECOND);

/** Rounded up, so that rounding never admits more than declared. */
export const intervalOf = ({ rate, periodSeconds }: Bucket): number =>
  Math.ceil((periodSeconds * MICROSECONDS_PER_SECOND) / rate);

/** When the bucket would be full again after taking `cost`, or `undefined` when it holds less than that. */
export function fullAfterTaking(bucket: Bucket, fullAt: number, now: number, cost: number): number | undefined {
  const interval = intervalOf(bucket);
  const next = Math.max(fullAt, now) + cost * interval;
  return next - now <= bucket.burst * interval ? next : undefined;
}

export function allowedDecision(bucket: Bucket, fullAt: number, now: number): LimitDecision {
  const interval = intervalOf(bucket);
  const remaining = Math.floor((bucket.burst * interval - (fullAt - now)) / interval);
  return {
    allowed: true,
    limit: bucket.burst,
    remaining: Math.min(bucket.burst, Math.max(0, remaining)),
    retryAfter: 0,
  };
}

/** `fullAt` as it is, nothing having been taken. */
export function refusedDecision(bucket: Bucket, fullAt: number, now: number, cost: number): LimitDecision {
  const interval = intervalOf(bucket);
  const wait = fullAt + cost * interval - bucket.burst * interval - now;
  const remaining = Math.floor((bucket.burst * interval - (fullAt - now)) / interval);
  return {
    allowed: false,
    limit: bucket.burst,
    remaining: Math.max(0, remaining),
    retryAfter: Math.max(1, Math.ceil(wait / MICROSECONDS_PER_SECOND)),
  };
}
