// An estate by rows written directly: images of some 300 packages that share as real ones do. Each builds on one of forty bases (the
// packages of a base are the same in all images of it), has its own choice of libraries, a few of which are in thousands of images and
// most in a few, and one package that no other image holds.

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync } from 'node:zlib'
import type { Finding } from '../../src/model/advisory.ts'
import type { Digest } from '../../src/model/digest.ts'
import type { ImagePackage } from '../../src/model/package.ts'
import type { Evidence } from '../../src/model/verdict.ts'

export interface EstateOptions {
  images: number
  advisoryRevision: string
  extractors: string
  policy: { name: string; revision: string }
}

const bases = 40
const systemNames = 3000
const libraryNames = 20_000
const librariesAnImage = 180
const now = Date.now()

/** The package of the distribution that every image holds. */
export const common = 'everywhere'
export const ownName = (image: number): string => `only-in-${image}`

interface Known {
  id: number
  pkg: ImagePackage
  finding?: Finding
}

/** In: the data folder of a server that does not run, whose records are made and empty. Out: how many rows of packages. */
export function generateEstate(dataFolder: string, options: EstateOptions): number {
  const database = new DatabaseSync(join(dataFolder, 'records.sqlite'))
  const random = seeded(7)
  try {
    database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; PRAGMA foreign_keys = OFF')
    database.exec('DROP INDEX image_packages_holders; DROP INDEX image_packages_name; BEGIN')
    const rows = writeImages(database, options, random)
    database.exec(`COMMIT;
      CREATE INDEX image_packages_holders ON image_packages (package_version_id, manifest_id);
      CREATE INDEX image_packages_name ON image_packages (name, version);
      ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)`)
    return rows
  } finally {
    database.close()
  }
}

function writeImages(database: DatabaseSync, options: EstateOptions, random: () => number): number {
  const insert = statements(database)
  const versions = new Map<string, Known>()
  const known = (kind: 'deb' | 'npm', name: string, version: string): Known => {
    const key = `${kind} ${name} ${version}`
    const found = versions.get(key)
    if (found !== undefined) return found
    const ecosystem = kind === 'deb' ? 'Debian:12' : 'npm'
    const id = Number(insert.version.run(ecosystem, name, version, options.advisoryRevision).lastInsertRowid)
    const made = { id, pkg: packageOf(kind, name, version), ...(id % 10 === 0 ? { finding: findingOf(ecosystem, name, version, id) } : {}) }
    if (made.finding !== undefined) insert.match.run(id, made.finding.id, made.finding.severity, JSON.stringify(made.finding))
    versions.set(key, made)
    return made
  }
  const systems = Array.from({ length: bases }, () => {
    const names = new Set(Array.from({ length: 130 }, () => Math.floor(random() ** 2 * systemNames)))
    return [...names].map((name) => known('deb', `system-${name}`, `1.${Math.floor(random() * 4)}-1`))
  })
  let rows = 0
  for (let image = 1; image <= options.images; image++) {
    const libraries = new Set(Array.from({ length: librariesAnImage }, () => Math.floor(random() ** 3 * libraryNames)))
    const held = [
      known('deb', common, `2.${image % 3}-1`),
      ...(systems[image % bases] ?? []),
      ...[...libraries].map((name) => known('npm', `library-${name}`, `1.${Math.floor(random() * 3)}.0`)),
      known('npm', ownName(image), '1.0.0'),
    ]
    writeImage(insert, image, held, options)
    rows += held.length
  }
  return rows
}

function writeImage(insert: Statements, image: number, held: Known[], options: EstateOptions): void {
  const digest = `sha256:${image.toString(16).padStart(64, '0')}` as Digest
  const repository = Math.floor((image - 1) / 100) + 1
  if (image % 100 === 1) insert.repository.run(repository, `team/service-${repository}`, now)
  insert.manifest.run(image, digest, now)
  // One in fifty is in use: an older one.
  insert.link.run(repository, image, now, image % 50 === 0 ? now : null)
  held.forEach(({ id, pkg }, position) =>
    insert.package.run(image, position, id, pkg.kind, pkg.name, pkg.version, pkg.purl, pkg.location, pkg.layer),
  )
  const evidence: Evidence = {
    digest,
    kind: 'image',
    ecosystem: 'Debian:12',
    packages: held.map(({ pkg }) => pkg),
    findings: held.flatMap(({ finding }) => finding ?? []),
    doubts: [],
    advisoryRevision: options.advisoryRevision,
    advisoryDate: new Date(now).toISOString(),
    examinedAt: new Date(now).toISOString(),
  }
  insert.evidence.run(image, options.advisoryRevision, options.extractors, zstdCompressSync(JSON.stringify(evidence)), now)
  insert.verdict.run(repository, image, options.policy.name, options.policy.revision, now)
}

function packageOf(kind: 'deb' | 'npm', name: string, version: string): ImagePackage {
  return {
    kind,
    name,
    version,
    purl: kind === 'deb' ? `pkg:deb/debian/${name}@${version}?arch=amd64&distro=debian-12` : `pkg:npm/${name}@${version}`,
    location: kind === 'deb' ? 'var/lib/dpkg/status' : `app/node_modules/${name}/package.json`,
    layer: `sha256:${(kind === 'deb' ? 'a' : 'b').repeat(64)}`,
  }
}

function findingOf(ecosystem: string, packageName: string, packageVersion: string, at: number): Finding {
  const id = `CVE-2024-${100_000 + at}`
  return {
    id,
    ids: [id],
    ecosystem,
    packageName,
    packageVersion,
    severity: 'medium',
    score: 5.4,
    knownExploited: false,
    malicious: false,
    sources: [{ id, source: 'bench' }],
    state: 'affected',
  }
}

type Statements = ReturnType<typeof statements>

function statements(database: DatabaseSync) {
  return {
    repository: database.prepare('insert into repositories (id, name, created_at) values (?, ?, ?)'),
    manifest: database.prepare(`insert into manifests (id, digest, kind, media_type, annotations, size, content, created_at)
      values (?, ?, 'image', 'application/vnd.oci.image.manifest.v1+json', '{}', 2, x'7b7d', ?)`),
    link: database.prepare(
      `insert into manifest_links (repository_id, manifest_id, pushed_at, pushed_by, pulled_at) values (?, ?, ?, 'user:bench', ?)`,
    ),
    version: database.prepare('insert into package_versions (ecosystem, name, version, matched_revision) values (?, ?, ?, ?)'),
    match: database.prepare(
      'insert into matches (package_version_id, finding_id, severity, known_exploited, finding) values (?, ?, ?, 0, ?)',
    ),
    package:
      database.prepare(`insert into image_packages (manifest_id, position, package_version_id, kind, name, version, purl, location, layer)
      values (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    evidence: database.prepare(`insert into evidence (manifest_id, revision, advisory_revision, extractors, content, examined_at)
      values (?, 1, ?, ?, ?, ?)`),
    verdict:
      database.prepare(`insert into verdicts (repository_id, manifest_id, decision, policy, policy_revision, evidence_revision, judged_at, reasons)
      values (?, ?, 'allow', ?, ?, 1, ?, '[]')`),
  }
}

/** The same estate each time. Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
