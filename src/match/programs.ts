import type { Package, PackageVersion } from '../model/package.ts'

/**
 * Programs that were known by their bytes, and their name in Bitnami's catalogue. Its records give ranges of the
 * program's own versions, made from those of the NVD, and its builds differ behind the hyphen alone: so they judge a
 * program that upstream or anyone else built. OpenSSL, BusyBox, Perl and others are not in the catalogue: nobody here
 * judges those. Programs in Go are judged by their modules.
 */
const catalogue: Readonly<Record<string, string>> = {
  'fluent-bit': 'fluent-bit',
  haproxy: 'haproxy',
  httpd: 'apache',
  java: 'java',
  mariadb: 'mariadb',
  memcached: 'memcached',
  mongodb: 'mongodb',
  nginx: 'nginx',
  node: 'node',
  openldap: 'openldap',
  php: 'php',
  postgresql: 'postgresql',
  python: 'python',
  redis: 'redis',
  ruby: 'ruby',
  sqlite: 'sqlite',
  valkey: 'valkey',
  wordpress: 'wordpress',
}

/** In: a program. Out: what to match, or undefined where no records here speak of it. */
export function programSubject({ name, version }: Package): PackageVersion | undefined {
  const known = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined
  return known === undefined ? undefined : { ecosystem: 'Bitnami', name: known, version: name === 'java' ? javaVersion(version) : version }
}

/** Before 9, `1.8.0_412` was the 412th update of 8, and the catalogue calls it 8.0.412. */
function javaVersion(version: string): string {
  const [, feature, update] = /^1\.([5-8])\.0(?:_(\d+))?/.exec(version) ?? []
  return feature === undefined ? version : `${feature}.0.${Number(update ?? 0)}`
}
