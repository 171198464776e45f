export { ByteScanner, disguises, filesBelow, type Hit, type Pattern } from './byte-scan.ts';
export { headlessChromium } from './chromium.ts';
export { corpora } from './corpora.ts';
export { figure } from './figure.ts';
export { needs, ownAddress, type Part } from './needs.ts';
export { pkcs11Library, softHsmModule } from './pkcs11.ts';
export { freshPostgresDatabase, startPostgres, type PostgresCluster } from './postgres.ts';
export { rounds } from './rounds.ts';
export { temporaryFolder } from './temporary-folder.ts';
