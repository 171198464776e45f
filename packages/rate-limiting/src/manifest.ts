import { defineDataMap, operational, secret, type Clock, type Job, type Manifest } from '@strongroom/kernel';
import type { Database } from '@strongroom/storage';
import { purgeDurable } from './internal/durable-counters.ts';
import { toMicroseconds } from './internal/gcra.ts';

export interface RateLimitingServices {
  readonly clock: Clock;
  readonly database: Database;
}

const dataMap = defineDataMap({
  rate_limits: {
    scope: 'installation',
    columns: {
      policy: operational,
      // What was counted (an account, a network, an e-mail address) under the installation's key: it cannot be read
      // back or matched without that key, and goes a day after the bucket is full again.
      key_hash: secret('hashed'),
      full_at: operational,
    },
  },
});

/** How long a full bucket stays, so that a clock that was set back by less does not lose counts. */
const KEEP_MILLISECONDS = 24 * 60 * 60 * 1000;

const purge: Job<RateLimitingServices> = {
  name: 'rate-limiting.purge',
  everySeconds: 3600,
  run: async ({ clock, database }) => {
    await purgeDurable(database, toMicroseconds(clock.now() - KEEP_MILLISECONDS));
  },
};

export const manifest = {
  name: 'rate-limiting',
  migrations: [
    {
      name: '0001-rate-limits',
      sql: `
        create table rate_limits (
          policy text not null,
          key_hash bytea not null,
          -- microseconds since 1970 at which the bucket is full again
          full_at bigint not null,
          primary key (policy, key_hash)
        );
        create index rate_limits_full_at on rate_limits (full_at);
      `,
    },
  ],
  dataMap,
  jobs: [purge],
} as const satisfies Manifest<never, RateLimitingServices>;
