export * from './check-routes.ts';
export * from './create-pipeline.ts';
export * from './errors.ts';
export * from './http.ts';
export * from './openapi.ts';
export * from './ports.ts';
export * from './route-inventory.ts';
export * from './route.ts';
