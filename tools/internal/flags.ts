/**
 * Whether `--name` was given. Without a `--` in between, npm keeps a script's flags for itself and hands them on as
 * `npm_config_name`; people forget it, and the wish is as clear.
 */
export const hasFlag = (name: string, parameters: readonly string[]): boolean =>
  parameters.includes(`--${name}`) || process.env[`npm_config_${name}`] === 'true';

/** The environment for a command of our own, to which our caller's flags were not addressed. */
export function withoutFlags(...names: readonly string[]): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of names) delete environment[`npm_config_${name}`];
  return environment;
}
