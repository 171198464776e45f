export * from './errors.ts';
export type { MemoriesServices } from './internal/routes.ts';
export { manifest } from './manifest.ts';
export { departures, type Departures } from './departures.ts';
