/**
 * What a run is asked for. `STRONGROOM_TESTS`: `all` (`npm test -- --all`), `both` (the fast tests on both database engines) or `fast`
 * (`npm run check`). Without it the fast tests on one engine, and with `CI=true` all but the lengthy ones.
 */
export interface Wish {
  readonly slow: boolean;
  /** Slow suites that take minutes each. */
  readonly lengthy: boolean;
  readonly bothEngines: boolean;
}

export function readWish(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  parameters: readonly string[] = process.argv,
): Wish {
  const wish = environment['STRONGROOM_TESTS'];
  // A filter that names a slow suite.
  const lengthy = wish === 'all' || parameters.some((parameter) => parameter.includes('.slow'));
  const slow = lengthy || (environment['CI'] === 'true' && wish !== 'fast' && wish !== 'both');
  return { slow, lengthy, bothEngines: slow || wish === 'both' };
}
