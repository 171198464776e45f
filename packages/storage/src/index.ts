export * from './check-data-map.ts';
export * from './database.ts';
export * from './errors.ts';
export * from './jobs.ts';
export * from './manifest.ts';
export * from './open-database.ts';
export * from './single-use.ts';
export * from './tenant-table.ts';
