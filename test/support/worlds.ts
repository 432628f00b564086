// The insides of images: the files by which a scanner knows a distribution and its packages.

import { DatabaseSync } from 'node:sqlite'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Files } from './layers.ts'

/** An application with npm packages, by name and version. */
export function npmApplication(packages: Record<string, string>): Files {
  const manifests = Object.entries(packages).map(([name, version]): [string, string] => [
    `app/node_modules/${name}/package.json`,
    JSON.stringify({ name, version, license: 'MIT', main: 'index.js' }),
  ])
  return {
    'app/package.json': JSON.stringify({ name: 'shop', version: '1.0.0', dependencies: packages }),
    ...Object.fromEntries(manifests),
  }
}

export interface InstalledPackage {
  name: string
  version: string
  source?: string
}

/** A Debian base as its package manager leaves it. */
export function debianBase(packages: readonly InstalledPackage[], versionId = '12', codename = 'bookworm'): Files {
  const stanza = ({ name, version, source }: InstalledPackage) =>
    [
      `Package: ${name}`,
      'Status: install ok installed',
      'Priority: optional',
      'Maintainer: Debian Developers <debian-devel@lists.debian.org>',
      'Architecture: amd64',
      ...(source === undefined ? [] : [`Source: ${source}`]),
      `Version: ${version}`,
      `Description: ${name}`,
      '',
    ].join('\n')
  const release = `PRETTY_NAME="Debian GNU/Linux ${versionId} (${codename})"\nID=debian\nVERSION_ID="${versionId}"\nVERSION_CODENAME=${codename}\n`
  return { 'usr/lib/os-release': release, 'etc/debian_version': `${versionId}.0\n`, 'var/lib/dpkg/status': packages.map(stanza).join('\n') }
}

/** An Alpine base as apk leaves it. */
export function alpineBase(packages: readonly InstalledPackage[], version = '3.20.3'): Files {
  const entry = ({ name, version: packageVersion, source }: InstalledPackage) =>
    [
      `C:Q1${Buffer.alloc(20, name).toString('base64')}`,
      `P:${name}`,
      `V:${packageVersion}`,
      'A:x86_64',
      'S:1000',
      'I:4096',
      `T:${name}`,
      'L:MIT',
      `o:${source ?? name}`,
      '',
      '',
    ].join('\n')
  const release = `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.split('.').slice(0, 2).join('.')}"\n`
  return { 'etc/os-release': release, 'etc/alpine-release': `${version}\n`, 'lib/apk/db/installed': packages.map(entry).join('') }
}

/** Fedora, of which no advisories are known here, with an rpm database in its SQLite form, holding one package header. */
export async function fedoraBase(): Promise<Files> {
  const release = 'NAME="Fedora Linux"\nID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40 (Container Image)"\nVARIANT_ID=container\n'
  return {
    'etc/os-release': release,
    'etc/redhat-release': 'Fedora release 40 (Forty)\n',
    'var/lib/rpm/rpmdb.sqlite': await rpmDatabase(),
  }
}

async function rpmDatabase(): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-test-rpm-'))
  try {
    const path = join(folder, 'rpmdb.sqlite')
    const database = new DatabaseSync(path)
    database.exec('CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)')
    database
      .prepare('INSERT INTO Packages (blob) VALUES (?)')
      .run(rpmHeader({ 1000: 'bash', 1001: '5.1.8', 1002: '9.el9', 1022: 'x86_64', 1044: 'bash-5.1.8-9.el9.src.rpm' }))
    database.close()
    return await readFile(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// rpm, "Package format": il, dl, then il entries {tag, type 6 = string, offset, count}, then the data.
function rpmHeader(tags: Record<number, string>): Buffer {
  const entries = Object.entries(tags)
  const data = Buffer.concat(entries.map(([, text]) => Buffer.from(`${text}\0`)))
  const head = Buffer.alloc(8 + 16 * entries.length)
  head.writeUInt32BE(entries.length, 0)
  head.writeUInt32BE(data.length, 4)
  let offset = 0
  for (const [at, [tag, text]] of entries.entries()) {
    for (const [field, value] of [Number(tag), 6, offset, 1].entries()) head.writeUInt32BE(value, 8 + 16 * at + 4 * field)
    offset += Buffer.byteLength(text) + 1
  }
  return Buffer.concat([head, data])
}
