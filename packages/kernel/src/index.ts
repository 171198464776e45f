export * from './actor.ts';
export * from './bytes.ts';
export * from './clock.ts';
export * from './data-map.ts';
export * from './errors.ts';
export * from './ids.ts';
export * from './manifest.ts';
