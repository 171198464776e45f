import type { Usage } from './flags.ts';

/** What `npm run bench` takes, and what its suites read of it. */
export const benchUsage = {
  command: 'npm run bench',
  does: 'Measures Strongroom beside its peers, prints medians and ratios, and writes bench/results/<name>.json (not with --quick).',
  words: ['name …', 'of a benchmark; all of them when none is given'],
  flags: {
    quick: { means: 'a minute instead of ten, for a first look; writes no results' },
    rounds: { takes: 'N', means: 'measurements per contender; 25 of them, with --quick 5' },
    rows: { takes: 'N', means: 'how many rows `rotation` rotates' },
    list: { means: 'only says which benchmarks there are' },
  },
  examples: ['npm run bench -- fernet', 'npm run bench -- audit --quick', 'npm run bench -- --list'],
} as const satisfies Usage;
