export { ByteScanner, disguises, filesBelow, type Hit, type Pattern } from './byte-scan.ts';
export { corpora } from './corpora.ts';
export { figure } from './figure.ts';
export { needs, type Part } from './needs.ts';
export { freshPostgresDatabase, startPostgres, type PostgresCluster } from './postgres.ts';
export { temporaryFolder } from './temporary-folder.ts';
